# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door `install`: laying the guard's files on this host, seeding the ticket, and setting the guard to work.

A guard kills what writes without a lease. So it is refused where the ticket that it would look for is not this site's
and something here writes. A guard that starts anew kills, too: where writers run on a lease, only by leave.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.doors import describe
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.installation import (
    LIBRARY,
    UNIT,
    UNITS,
    HostFile,
    files,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import GuardError, Sight
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

DROP_IN = "sip-dr-guard.conf"


class Wanted(NamedTuple):
    """What is to be installed. `etcd`: the client's settings, with `ca`, the authority's certificate as text; or None.

    `first_holder`: the site that takes the ticket first, where none exists yet. `interrupt`: writers that run on a
    lease may be killed and started again.
    """

    config: Mapping[str, Any]
    etcd: Optional[Mapping[str, Any]]
    first_holder: str
    first_hosts: List[str]
    interrupt: bool = False


class Placing:
    """One installation on this host."""

    def __init__(
        self,
        processes: ProcessDriver,
        sight: Sight,
        store: Callable[[], TicketStore],
        deadline: float,
        interval: float,
        dry: bool,
    ) -> None:
        """`store` opens the coordination store once its settings lie here.

        `deadline`: seconds for each thing that is waited for, `interval` between two looks.
        """
        self._processes = processes
        self._sight = sight
        self._store = store
        self._deadline = deadline
        self._interval = interval
        self._dry = dry

    def install(self, wanted: Wanted) -> Dict[str, Any]:
        """Lay what differs, seed, and start the guard anew if anything of it changed. Raises RefusedError, GuardError.

        The store's settings are not of it: the guard reads changed ones by itself, and its writers live on.
        """
        config = configuration.parse(wanted.config)
        self._refuse_missing(config)
        settings = _settings_files(wanted.etcd, config.settings)
        lying = files(wanted.config)
        changed, stale = [*_differing({**settings, **lying})], _stale(config, lying)
        diff = {"before": _listed(stale, changed, before=True), "after": _listed(stale, changed, before=False)}
        restarted = bool(set(changed) - set(settings) or stale) or self._sight.active != "active"
        if restarted and not wanted.interrupt:
            self._refuse_interruption()
        if not self._dry:
            _lay(settings)
        seeded = self._seed(config, wanted)
        if not self._dry and restarted:
            self._place(lying, stale)
            self._await_lease(config)
        words = f"{len(changed)} files laid, {len(stale)} removed{', ticket seeded' if seeded else ''}"
        result = {"changed": restarted or seeded or bool(changed), "files": [*changed, *stale], "restarted": restarted}
        return dict(result, seeded=seeded, detail=words, diff=diff)

    def _refuse_interruption(self) -> None:
        """Refuse to start the guard anew under writers that run on its lease: they would die with it, unannounced."""
        left = self._sight.left
        writers = sorted(set(self._sight.writers().values())) if left else []
        if writers:
            raise RefusedError(
                "guard: it is not started anew under writers that run on its lease",
                f"lease good for {left:.1f} s, and here runs {', '.join(writers)}: to be killed and started again",
                "in a quiet hour, -e continuity_guard_interrupt=true; or move the configuration away first",
            )

    def _refuse_missing(self, config: Config) -> None:
        missing = [one.unit for one in config.writers if not self._processes.state(one.unit).installed]
        if missing:
            raise RefusedError(
                "guard: every writer that it guards is a unit of this host",
                f"systemd knows no {', '.join(missing)}",
                "name the units of the database and of the Configuration Server on this host",
            )

    def _seed(self, config: Config, wanted: Wanted) -> bool:
        """Make sure that there is a ticket. Refuses where the guard's first deed would be a kill."""
        if self._dry and not Path(config.settings).exists():
            return bool(wanted.first_holder)
        store = self._store()
        state = store.read()
        if state.ticket is not None:
            self._refuse_writers(config, state.ticket)
            return False
        if not wanted.first_holder:
            raise RefusedError(
                "ticket: somebody must hold it first",
                "there is no ticket in the coordination store yet",
                "say which site writes today: -e continuity_guard_first_holder=NAME",
            )
        first = tickets.first(wanted.first_holder, wanted.first_hosts)
        self._refuse_writers(config, first)
        if not self._dry:
            # Another host's installation may have been faster: then its ticket stands.
            store.write(first, 0)
        return True

    def _refuse_writers(self, config: Config, ticket: Ticket) -> None:
        writers = sorted({why for _pid, why in Killer(config.writers, config.marker).found()})
        if tickets.may_acquire(ticket, config.site) or not writers:
            return
        raise RefusedError(
            "one writer: a guard kills what writes here without its site's ticket",
            f"{describe(ticket)}, and here runs {', '.join(writers)}",
            "stop these first, or name the site that writes as the first holder",
        )

    def _await_lease(self, config: Config) -> None:
        ticket = self._store().read().ticket
        if ticket is None or not tickets.may_acquire(ticket, config.site):
            return
        if not wait_for(lambda: self._sight.left, self._deadline, self._interval):
            raise GuardError(f"no lease {self._deadline:.0f} s after the guard was started: {describe(ticket)}")

    def _place(self, lying: Mapping[str, HostFile], stale: List[str]) -> None:
        drop_ins = {path: file for path, file in lying.items() if path.endswith("/" + DROP_IN)}
        _lay({path: file for path, file in lying.items() if path not in drop_ins})
        for path in stale:
            os.unlink(path)
        self._systemctl("daemon-reload")
        self._systemctl("enable", UNIT)
        self._systemctl("restart", UNIT)
        # Only now: systemd stops a running unit at once when it learns that it is bound to one that does not run.
        _lay(drop_ins)
        self._systemctl("daemon-reload")

    def _systemctl(self, *words: str) -> None:
        try:
            # A module's run_command knows no time-out.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                ["systemctl", "--no-ask-password", *words],
                capture_output=True,
                text=True,
                timeout=self._deadline,
                check=False,
            )
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise GuardError(f"systemctl {words[0]}: {error}") from error
        if done.returncode:
            raise GuardError(f"systemctl {' '.join(words)}: {done.stderr.strip() or done.returncode}")


def _settings_files(etcd: Optional[Mapping[str, Any]], path: str) -> Dict[str, HostFile]:
    if etcd is None:
        return {}
    words = {key: value for key, value in etcd.items() if key != "ca" and value is not None}
    laid: Dict[str, HostFile] = {}
    if etcd.get("ca"):
        words["ca_file"] = str(Path(path).with_name("etcd-ca.pem"))
        laid[words["ca_file"]] = HostFile(str(etcd["ca"]).rstrip("\n") + "\n", 0o644)
    laid[path] = HostFile(json.dumps(words, indent=1, sort_keys=True) + "\n", 0o600)
    return laid


def _differing(wanted: Mapping[str, HostFile]) -> List[str]:
    return sorted(path for path, file in wanted.items() if _lying(path) != file)


def _lying(path: str) -> Optional[HostFile]:
    try:
        content = Path(path).read_bytes().decode("utf-8", "surrogateescape")
        return HostFile(content, os.stat(path).st_mode & 0o7777)
    except FileNotFoundError:
        return None


def _lay(wanted: Mapping[str, HostFile]) -> None:
    for path in _differing(wanted):
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if place.exists():
            os.chmod(path, wanted[path].mode)
        replace_file(place, wanted[path].content, wanted[path].mode)


def _stale(config: Config, lying: Mapping[str, HostFile]) -> List[str]:
    """Return what an earlier version, or another configuration, laid and this one does not."""
    ours = [str(path) for path in Path(LIBRARY).rglob("*.py")] + glob.glob(f"{UNITS}*.d/{DROP_IN}")
    return sorted(path for path in ours if path not in lying)


def _listed(stale: List[str], changed: List[str], before: bool) -> str:
    """Return the files by name only: some of them hold secrets."""
    lines: List[Tuple[str, str]] = [(path, "as installed" if before else "removed") for path in stale]
    there = {path: "as installed" if os.path.exists(path) else "absent" for path in changed}
    lines += [(path, there[path] if before else "this version") for path in changed]
    return "".join(f"{path}: {words}\n" for path, words in sorted(lines))
