"""A CUBE, the driver's options and a state directory, and what the tests do with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import Gateway, Outcome, record_here
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from standins.cisco_cube.ios import Router

from .cisco_cube_double import CubeDouble, running


class Bench(NamedTuple):
    params: dict
    double: CubeDouble
    state_dir: str

    @property
    def router(self) -> Router:
        return self.double.router

    def go(self, door: str, *site: str, check_mode: bool = False) -> Outcome:
        gateway = Gateway(cisco_cube, self.params, record_here(self.state_dir), check_mode)
        with run_step(None, self.state_dir, check_mode) as step:
            return getattr(gateway, door)(*site, step)

    def type(self, *lines: str, save: bool = True) -> None:
        """An administrator at work."""
        self.double.cli.configure(list(lines))
        if save:
            self.router.save()
        self.router.typed.clear()

    def target(self, site: str) -> dict:
        return cisco_cube.read(self.params)["targets"][site]

    @property
    def prefers(self) -> str | None:
        return cisco_cube.read(self.params)["prefers"]

    @property
    def texts(self) -> tuple[str, str]:
        return self.double.running, self.double.text


def set_up(text: str, tmp_path: Path) -> Iterator[Bench]:
    """A bench whose router has this configuration."""
    with running(text) as (params, double):
        yield Bench(params, double, str(tmp_path))
