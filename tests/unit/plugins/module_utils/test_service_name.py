"""The hosts file: one name moves, everything else stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.service_name import (
    HostsFile,
    ServiceNameError,
    addresses_of,
    with_addresses,
)

HOSTS = """127.0.0.1\tlocalhost
# the master, moved by sip-dr
10.71.1.20 confserv-master cfg1  # main
10.71.1.21\tother
"""


@pytest.mark.parametrize(
    ("before", "addresses", "after"),
    [
        ("10.0.0.1 m\n", ["10.0.0.2"], "10.0.0.2\tm\n"),
        ("10.0.0.1 m\n", [], ""),
        ("", ["10.0.0.2"], "10.0.0.2\tm\n"),
        ("10.0.0.9 x", ["10.0.0.2"], "10.0.0.9 x\n10.0.0.2\tm\n"),
        ("10.0.0.1 a M b\n10.0.0.9 x\n", ["10.0.0.2"], "10.0.0.2\tm\n10.0.0.1\ta b\n10.0.0.9 x\n"),
        ("10.0.0.1 m # why\n", ["10.0.0.2"], "10.0.0.2\tm\n# why\n"),
        ("10.0.0.1 m\n::1 m\n", ["10.0.0.2"], "10.0.0.2\tm\n"),
        ("10.0.0.1 mm m.example\n#10.0.0.3 m\n", ["10.0.0.2"], "10.0.0.1 mm m.example\n#10.0.0.3 m\n10.0.0.2\tm\n"),
        ("10.0.0.1 m\n", ["10.0.0.2", "10.0.0.3"], "10.0.0.2\tm\n10.0.0.3\tm\n"),
    ],
    ids=["move", "remove", "empty", "no-newline", "aliases", "comment", "both-families", "not-a-part", "two"],
)
def test_a_name_moves_and_the_rest_stays(before: str, addresses: list[str], after: str) -> None:
    assert with_addresses(before, "m", addresses) == after
    assert addresses_of(after, "m") == addresses


def doors(tmp_path: Path, address: str, dry: bool = False, name: str = "confserv-master") -> HostsFile:
    path = tmp_path / "hosts"
    if not path.exists():
        path.write_text(HOSTS)
    return HostsFile(path, {name: address}, Recorded(str(tmp_path / "state"), "service_name"), dry)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(None, tmp_path, writes=False)


def test_take_over_is_idempotent_and_restore_puts_back(tmp_path: Path, step: Step) -> None:
    done = doors(tmp_path, "10.71.2.20").take_over(step)
    assert done["changed"]
    assert done["addresses"] == {"confserv-master": ["10.71.2.20"]}
    assert (done["diff"]["before"], done["diff"]["after"]) == (HOSTS, (tmp_path / "hosts").read_text())
    assert not doors(tmp_path, "10.71.2.20").take_over(step)["changed"]
    assert doors(tmp_path, "10.71.3.20").take_over(step)["changed"]
    assert doors(tmp_path, "10.71.3.20").restore(step)["addresses"] == {"confserv-master": ["10.71.1.20"]}
    assert not doors(tmp_path, "10.71.3.20").restore(step)["changed"]


def test_release_takes_only_this_address_away(tmp_path: Path, step: Step) -> None:
    assert not doors(tmp_path, "10.71.2.20").release(step)["changed"]
    done = doors(tmp_path, "10.71.1.20").release(step)
    assert done["addresses"] == {"confserv-master": []}
    assert "10.71.1.20\tcfg1 # main" in (tmp_path / "hosts").read_text()
    assert doors(tmp_path, "10.71.1.20").restore(step)["addresses"] == {"confserv-master": ["10.71.1.20"]}


def test_check_mode_shows_the_difference_and_writes_nothing(tmp_path: Path, step: Step) -> None:
    done = doors(tmp_path, "10.71.2.20", dry=True).take_over(step)
    assert done["changed"]
    assert "10.71.2.20\tconfserv-master" in done["diff"]["after"]
    assert (tmp_path / "hosts").read_text() == HOSTS
    assert not (tmp_path / "state").exists()


def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    assert doors(tmp_path, "10.71.2.20").readiness()["ready"]
    found = doors(tmp_path, "10.71.2.20", name="unknown").readiness()
    assert [item["item"] for item in found["readiness"] if not item["met"]] == ["names are known"]


def test_verify_asks_the_resolver(tmp_path: Path) -> None:
    with pytest.raises(ServiceNameError, match="resolves to nothing"):
        doors(tmp_path, "127.0.0.1", name="no-such-name.invalid").verify(0.0, 0.01)
