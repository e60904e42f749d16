# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AudioCodes Mediant for unit tests: on loopback, with the manners that a test gives it."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standins.audiocodes import device
from standins.audiocodes.device import Reply, serve, told
from standins.audiocodes.store import INI, Store
from tls_doubles import make_papers

from .serving import Manners

TARGETS = {"site1": "10.71.1.100:5060", "site2": "10.71.2.100:5061"}
USERNAME, PASSWORD = "Admin", "Geheim, ja!"


class Device(Manners, device.Device):
    """The device, and how it behaves."""

    def __init__(self, store: Store) -> None:
        Manners.__init__(self)
        device.Device.__init__(self, store, USERNAME, PASSWORD)
        self.busy = 0  # so many changing calls, and reads of the ini, are answered 409
        self.locked = False
        self.knows_show = True
        self.tells_save_needed = True
        self.speaks_until = ""  # a word in the path of the call at which a silent device falls silent
        self.drops = ""  # a word in the path of calls that are done and whose answers are lost
        self.refuses = ""  # a word in the path of calls that this log-in may not make
        self.ignores = ""  # a word in the path of calls that are accepted and not done
        self.loaded: list[str] = []

    @property
    def text(self) -> str:
        return self.store.saved

    def half(self) -> object:
        """Every answer ends in the middle."""
        return self._with("half")

    def cut(self) -> object:
        """Every ini file ends in the middle, and the answer says that this is all."""
        return self._with("cut")

    def answer(self, call: str, authorization: str, kind: str, body: bytes) -> Reply | None:
        if self._says_nothing(call):
            self.wake.wait()
            return None
        self.calls.append(call)
        reply = super().answer(call, authorization, kind, body)
        return None if self.drops and self.drops in call else reply

    def _says_nothing(self, call: str) -> bool:
        if self.manner == "silent" and self.speaks_until and self.speaks_until in call:
            self.speaks_until = ""
        return self.manner == "silent" and not self.speaks_until

    def dispatch(self, call: str, kind: str, body: bytes) -> Reply:
        if self.manner == "garbage":
            return Reply(200, "text/html", "<html><body>It works!</body></html>")
        if self.busy and call != device.STATUS:
            self.busy -= 1
            return told(409, "Device is currently performing HA synchronization")
        if self.refuses and self.refuses in call:
            return told(403, "Forbidden")
        if self.ignores and self.ignores in call:
            return told(200, "Done")
        if call == device.SCRIPT and not self.knows_show:
            return told(400, "Invalid command")
        reply = super().dispatch(call, kind, body)
        if call == device.INI and self.manner == "cut":
            return reply._replace(text=reply.text[: reply.text.index("10.71.2.100")])
        return reply

    def load(self, text: str) -> None:
        self.loaded.append(text)
        super().load(text)

    def status(self) -> dict[str, object]:
        status = {**super().status(), **({"operationalState": "LOCKED"} if self.locked else {})}
        if not self.tells_save_needed:
            del status["saveNeeded"]
        return status

    def sent(self, data: bytes) -> bytes:
        return data[: len(data) // 2] if self.manner == "half" else data


@functools.cache
def papers_here() -> Path:
    """Certificates for 127.0.0.1, made once in a test run."""
    directory = tempfile.mkdtemp(prefix="audiocodes-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return make_papers(Path(directory))


@contextmanager
def running(ini: str = INI, replaces_tables: bool = False) -> Iterator[tuple[dict, Device]]:
    """The options of a driver for a device, and that device: site1 and site2 in Proxy Set 1, site1 first, saved."""
    papers = papers_here()
    double = Device(Store(ini, replaces_tables))
    with (
        tempfile.TemporaryDirectory() as directory,
        serve(double, papers / "server.pem", papers / "server.key") as where,
    ):
        password = Path(directory) / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")
        yield (
            {
                "address": where,
                "username": USERNAME,
                "password_file": str(password),
                "ca_file": str(papers / "ca.pem"),
                "proxy_set": "SIP Servers",
                "targets": dict(TARGETS),
                "timeout": 2.0,
                "busy_deadline": 1.0,
                "busy_interval": 0.02,
                "apply_deadline": 0.5,
                "apply_interval": 0.02,
            },
            double,
        )
