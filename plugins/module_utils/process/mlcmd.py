# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process driver `mlcmd`: Applications through the Management Layer's command line.

Documented by the vendor (How to Use the mlcmd Utility): the mandatory parameters, and one operation for each call. Of
the operations only `-getallappstatus`, and what it prints, was seen in a working public script; the others and the
words of a status are from memory, so both tables can be replaced, and an operation is used only if `mlcmd -help` names
it.

The password: mlcmd takes it as `-cspassword` on its command line, where everybody on the host can read it. This driver
never does that. It refuses, unless `wrapper` names a program that takes mlcmd's other parameters, gets the password
from its standard input (`password_file`) or from where it likes, and starts mlcmd so that it stands in no command line.
While it runs, the command lines of its processes are looked at: one that has the parameter ends the call. A process
that lives for less than the time between two looks can be missed, so look at the wrapper yourself, too.

mlcmd needs a Configuration Server and a Solution Control Server that run. So the first Configuration Server is never
started through it; what comes before it is left to systemd, by name (`systemd`).
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.program import options_of, said
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

PASSWORD_FLAG = "-cspassword"  # noqa: S105  the name of a parameter
FLAGS: Dict[str, str] = {
    "cs_host": "-cshost",
    "cs_port": "-csport",
    "cs_user": "-csuser",
    "cs_application": "-csappname",
    "scs_host": "-scshost",
    "scs_port": "-scsport",
    "help": "-help",
    "status": "-getallappstatus",
    "start": "-startapp",
    "stop": "-stopapp",
}
"""`start` and `stop` are not verified."""
STATUSES: Dict[str, List[str]] = {
    "active": ["running", "started"],
    "inactive": ["stopped"],
    "activating": ["initializing", "start transition", "start pending", "service unavailable", "suspended"],
    "deactivating": ["stop transition", "stop pending", "suspending"],
}
"""Words of a status by what they mean, not verified; compared without case, blanks, underscores and `APP_STATUS`."""
OPTIONS: Dict[str, Any] = {
    "program": "/opt/genesys/scs/mlcmd_64",
    "wrapper": [],
    "password_file": "",
    "systemd": [],
    "cs_host": "127.0.0.1",
    "cs_port": "2020",
    "cs_user": "",
    "cs_application": "default",
    "scs_host": "",
    "scs_port": "",
    "flags": {},
    "statuses": {},
}
LINE = re.compile(r"^\s*(Application|DBID|Status|Runmode)\s*:[ \t]*(.*?)\s*$")


class Mlcmd:
    """The Applications of one Solution Control Server. `first` is the name of the Configuration Server's own unit."""

    def __init__(
        self, options: Mapping[str, Any], deadline: float, interval: float, first: str = "", proc: Path = Path("/proc")
    ) -> None:
        """`deadline` seconds for one start or stop, `interval` between two looks. Raises RefusedError, ProcessError."""
        self._options = options_of("mlcmd", OPTIONS, options)
        self._flags = options_of("mlcmd flags", FLAGS, self._options["flags"])
        self._statuses = options_of("mlcmd statuses", STATUSES, self._options["statuses"])
        self._deadline, self._interval = deadline, interval
        self._first, self._proc = first, proc
        self._refuse_a_visible_password()

    def state(self, name: str) -> UnitState:
        """Return how an Application stands, by the Management Layer's word: it tells no process ids."""
        found = parse_status(self._ask(self._flags["status"])).get(name)
        if found is None:
            return UnitState(name, False, "unknown", (), False, "Solution Control Server does not know it")
        why = f"status {found['Status']}, run mode {found.get('Runmode') or 'not told'}"
        return UnitState(name, True, self._meaning(name, found["Status"]), (), False, why)

    def start(self, name: str) -> UnitState:
        """Start an Application and wait until it runs. Raises ProcessError with what is seen instead."""
        self._refuse_the_first(name)
        self._order("start", name)
        found = wait_for(lambda: self._if(name, "active"), self._deadline, self._interval)
        return self._as_ordered(found, name, "did not come up")

    def stop(self, name: str) -> UnitState:
        """Stop an Application and wait until it is stopped; mlcmd cannot kill. Raises ProcessError."""
        self._refuse_the_first(name)
        self._order("stop", name)
        found = wait_for(lambda: self._if(name, "inactive"), self._deadline, self._interval)
        return self._as_ordered(found, name, "did not stop")

    def _if(self, name: str, wanted: str) -> Optional[UnitState]:
        state = self.state(name)
        return state if state.active == wanted else None

    def _as_ordered(self, found: Optional[UnitState], name: str, otherwise: str) -> UnitState:
        if found is None:
            raise ProcessError(f"{name} {otherwise} (deadline {self._deadline:.0f} s): {self.state(name).why}")
        return found

    def _order(self, operation: str, name: str) -> None:
        flag = self._flags[operation]
        usage = said([self._options["program"], self._flags["help"]], self._deadline)
        if flag not in usage.split():
            raise ProcessError(f"mlcmd -help knows no {flag}: say in flags.{operation} what this release calls it")
        self._ask(flag, name)

    def _ask(self, *operation: str) -> str:
        named = ("cs_host", "cs_port", "cs_user", "cs_application", "scs_host", "scs_port")
        words = [word for name in named if self._options[name] for word in (self._flags[name], self._options[name])]
        with self._password() as given:
            return said([*self._options["wrapper"], *words, *operation], self._deadline, given, self._look, merged=True)

    @contextmanager
    def _password(self) -> Iterator[Optional[IO[Any]]]:
        path = self._options["password_file"]
        if not path:
            yield None
            return
        try:
            with open(path, "rb") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise ProcessError(f"{path}: others may read it; expected mode 0600")
                yield file
        except OSError as error:
            raise ProcessError(f"{path}: {error.strerror}") from error

    def _look(self, session: int) -> None:
        for process in self._proc.iterdir():
            if process.name.isdigit() and PASSWORD_FLAG.encode() in _words(process, session):
                raise RefusedError(
                    guard="a password is never visible in ps",
                    evidence=f"{self._options['wrapper'][0]} shows {PASSWORD_FLAG} on a command line",
                    way="a wrapper that keeps it out of every command line, or process driver systemd",
                )

    def _meaning(self, name: str, status: str) -> str:
        for meaning, words in self._statuses.items():
            if _plain(status) in map(_plain, words):
                return str(meaning)
        raise ProcessError(f"{name}: status {status!r} is not known; say in statuses what it means")

    def _refuse_a_visible_password(self) -> None:
        if PASSWORD_FLAG in self._flags.values():
            raise ProcessError(f"mlcmd flags: {PASSWORD_FLAG} is never given")
        if not self._options["wrapper"]:
            raise RefusedError(
                guard="a password is never visible in ps",
                evidence=f"mlcmd takes its password on its command line ({PASSWORD_FLAG}), that everybody can read",
                way="name in process_driver_options.wrapper a program that keeps it out of there, or use systemd",
            )

    def _refuse_the_first(self, name: str) -> None:
        if name == self._first:
            raise RefusedError(
                guard="the first Configuration Server is never started or stopped through mlcmd",
                evidence=f"{name} is the Configuration Server itself, at which mlcmd would have to log in",
                way="name its systemd unit, and list it in process_driver_options.systemd",
            )


def parse_status(text: str) -> Dict[str, Dict[str, str]]:
    """Return what `-getallappstatus` prints, by Application: groups of Application, DBID, Status and Runmode.

    A name may have blanks. Raises ProcessError for a group without a status, and for two of one name.
    """
    found: Dict[str, Dict[str, str]] = {}
    name = ""
    for matched in filter(None, map(LINE.match, text.splitlines())):
        key, value = matched.groups()
        if key == "Application":
            name = value
            if name in found:
                raise ProcessError(f"mlcmd tells twice of {name}")
            found[name] = {}
        elif name:
            found[name][key] = value
    silent = [name for name, group in found.items() if not group.get("Status")]
    if silent:
        raise ProcessError(f"mlcmd tells no status of {', '.join(silent)}")
    return found


def _plain(status: str) -> str:
    return re.sub(r"[\s_-]", "", status).lower().replace("appstatus", "")


def _words(process: Path, session: int) -> List[bytes]:
    """The command line of a process of this session; proc(5), field 6 of `stat`."""
    try:
        after_name = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (process / "cmdline").read_bytes().split(b"\0") if int(after_name[3]) == session else []
    except (OSError, IndexError):
        return []
