"""A gateway with a command line: a program that keeps its configuration in two files, running and saved."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = """
import json, os, subprocess, sys, time
from pathlib import Path
here = Path(sys.argv[1])
if os.environ.get("GATEWAY_PASSWORD") != "correct horse":
    sys.exit("login with " + os.environ.get("GATEWAY_PASSWORD", "nothing") + " refused")
manner = (here / "manner").read_text()
if manner == "silent":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)
if manner == "garbage":
    sys.stdout.buffer.write(b"\\xff\\xfe nonsense")
    sys.exit()
running, saved = here / "running", here / "saved"
state = json.loads(running.read_text())
if sys.argv[2] == "show":
    print("keepalive every 10 s")
    for trunk in state["trunks"]:
        print("trunk %(name)s  state %(state)s  cost %(cost)s" % trunk)
    print("route via " + state["route"])
    print("configuration " + ("saved" if running.read_text() == saved.read_text() else "NOT SAVED"))
elif sys.argv[2] == "route":
    if manner == "deaf":
        sys.exit()
    assert sys.argv[3] in [trunk["name"] for trunk in state["trunks"]], sys.argv[3] + " unknown"
    running.write_text(json.dumps(dict(state, route=sys.argv[3])))
elif sys.argv[2] == "write":
    saved.write_text(running.read_text())
"""


class Device:
    """The gateway's files."""

    def __init__(self, directory: Path) -> None:
        self._here = directory
        trunks = [{"name": f"trunk-{n}", "state": "UP", "cost": n} for n in (1, 2)]
        for name in ("running", "saved"):
            (directory / name).write_text(json.dumps({"trunks": trunks, "route": "trunk-1"}))
        self.manner("")

    @property
    def text(self) -> str:
        """What survives a reboot."""
        return (self._here / "saved").read_text()

    def manner(self, word: str) -> None:
        """`silent`, `garbage`, `deaf` (takes a command and does nothing), or nothing."""
        (self._here / "manner").write_text(word)

    def state(self, trunk: int, word: str) -> None:
        """What became of a trunk; it is no part of the configuration, but this gateway keeps it there."""
        for name in ("running", "saved"):
            kept = json.loads((self._here / name).read_text())
            kept["trunks"][trunk - 1]["state"] = word
            (self._here / name).write_text(json.dumps(kept))

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While the block runs, the program does not end, nor does what it started."""
        self.manner("silent")
        yield
        self.manner("")

    @contextmanager
    def garbage(self) -> Iterator[None]:
        """While the block runs, it prints nonsense."""
        self.manner("garbage")
        yield
        self.manner("")


@contextmanager
def running() -> Iterator[tuple[dict, Device]]:
    """The options of a driver, and the device."""
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        program, password = here / "gateway.py", here / "password"
        program.write_text(PROGRAM)
        password.touch(mode=0o600)
        password.write_text("correct horse\n")
        command = [sys.executable, "-IS", str(program), directory]
        patterns = {
            "target_pattern": r"^trunk {target}\s+state (?P<state>\S+)\s+cost (?P<priority>\d+)$",
            "prefers_pattern": r"^route via (?P<target>\S+)$",
            "saved_pattern": "^configuration saved$",
            "keepalive_pattern": r"^keepalive every (?P<seconds>\d+) s$",
            "up": "UP|BUSY",
            "down": "DEAD",
            "out_of_service": "LOCKED",
        }
        options = {
            "targets": {"site1": "trunk-1", "site2": "trunk-2"},
            "read_command": [*command, "show"],
            "prefer_command": [*command, "route", "{target}"],
            "save_command": [*command, "write"],
            "secrets": {"GATEWAY_PASSWORD": str(password)},
            "command_timeout": 2.5,
            "apply_deadline": 1.0,
            "apply_interval": 0.05,
        }
        yield {**patterns, **options}, Device(here)
