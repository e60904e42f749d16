# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth's writer: from the control namespace it writes numbers through GAX, wherever a GAX takes them.

It knows of no playbook and no role. While a site takes its writes it writes there; as soon as that one falls silent or
says no it tries both, as two people would, so that a silent site does not hide when the other one began to write.
Started by ``truth_configuration.start_writes``; one line of its log for each write, with what came of it.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from two_site_lab.lab import Lab
from two_site_lab.setup.cfg_objects import GAX_USER, TRUTH_APPLICATION

GAX_PORT = 8090
ANSWER_LIMIT = 1.5
# So many intervals without an accepted write, and every site is tried.
PATIENCE = 3


class GaxClient:
    """One site's GAX, logged in when first needed and again after every failure."""

    def __init__(self, address: str, username: str, password: str) -> None:
        """Connect to nobody yet."""
        self._address = address
        self._login = {"username": username, "password": password, "isPasswordEncrypted": False}
        self._connection: http.client.HTTPConnection | None = None
        self._cookie = ""
        self._object: dict[str, Any] = {}

    def write(self, value: str) -> bool:
        """Put ``value`` into the truth's Application; False if GAX said no, OSError if nobody knows what came of it."""
        try:
            if self._connection is None and not self._begin():
                return False
            self._object["options"] = {"property": [{"section": "truth", "key": "number", "value": value}]}
            status, _ = self._ask("PUT", f"cfg/objects/CfgApplication/{self._object['dbid']}", self._object)
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            raise OSError(str(error)) from error
        if status != 200:
            self._hang_up()
        return status == 200

    def _begin(self) -> bool:
        self._connection = http.client.HTTPConnection(self._address, GAX_PORT, timeout=ANSWER_LIMIT)
        status, _ = self._ask("POST", "session/login", self._login)
        if status == 200:
            status, found = self._ask("GET", f"cfg/objects?brief=false&type=CfgApplication&name={TRUTH_APPLICATION}")
        if status != 200 or not found:
            self._hang_up()
            return False
        self._object = found[0]
        return True

    def _ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        if self._connection is None:
            raise ConnectionError("not connected")
        text = None if body is None else json.dumps(body)
        self._connection.request(method, f"/gax/api/{path}", text, {"Cookie": self._cookie})
        reply = self._connection.getresponse()
        answer = json.loads(reply.read() or "null")
        self._cookie = (reply.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        return reply.status, answer

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Writers:
    """One writer for each site; the numbers are theirs together, and each is used once."""

    def __init__(self, writes: dict[str, Callable[[str], bool]], run: str, interval: float) -> None:
        """``writes``: how to write a value at each site; ``interval``: seconds between two writes."""
        self._writes, self._run, self._interval = writes, run, interval
        self._numbers = count(1)
        self._turn = threading.Lock()
        self._accepted = (next(iter(writes)), time.monotonic())

    def is_wanted(self, site: str, now: float) -> bool:
        """Whether a site is to be tried: it took the last write, or nobody has taken one for a while (monotonic)."""
        last, when = self._accepted
        return site == last or now - when > PATIENCE * self._interval

    def try_once(self, site: str) -> dict[str, Any]:
        """Write the next number at a site; what came of it is ``accepted``, ``refused`` or ``unknown``."""
        with self._turn:
            number = next(self._numbers)
        begun = time.time()
        try:
            outcome = "accepted" if self._writes[site](f"{self._run}-{number}") else "refused"
        except OSError:
            outcome = "unknown"
        if outcome == "accepted":
            self._accepted = (site, time.monotonic())
        return {"number": number, "site": site, "begun": begun, "ended": time.time(), "outcome": outcome}

    def write(self, site: str, tell: Callable[[dict[str, Any]], None], stop: threading.Event) -> None:
        """Write at a site whenever it is wanted, and ``tell`` what came of it, until ``stop``."""
        while not stop.wait(self._interval):
            if self.is_wanted(site, time.monotonic()):
                tell(self.try_once(site))


def main(lab_id: str, run: str, log: str, interval: str) -> None:
    """Write until SIGTERM, or until the log is taken away."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    lab = Lab(lab_id)
    password = lab.secret("gax")
    hosts = {site: lab.topology.of_kind("cfg", site)[0].address for site in lab.topology.sites}
    clients = {site: GaxClient(address, GAX_USER, password) for site, address in hosts.items()}
    writers = Writers({site: client.write for site, client in clients.items()}, run, float(interval))
    turn = threading.Lock()

    def tell(outcome: dict[str, Any]) -> None:
        # A lab that goes down or is reset takes its log away: nobody is left to stop us.
        with suppress(FileNotFoundError), turn, Path(log).open("r+") as stream:
            stream.seek(0, 2)
            stream.write(json.dumps(outcome) + "\n")
            return
        stop.set()

    threads = [threading.Thread(target=writers.write, args=(site, tell, stop)) for site in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
