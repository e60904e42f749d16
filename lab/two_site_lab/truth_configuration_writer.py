# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth's writer: from the control namespace it writes numbers through GAX, wherever a GAX takes them.

It knows of no playbook and no role: it asks the other site whenever one does not take a write, as a person would.
Started by ``truth_configuration.start_writes``; one line of its log for each write, with what came of it.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from two_site_lab.lab import Lab
from two_site_lab.setup.cfg_objects import GAX_USER, TRUTH_APPLICATION

GAX_PORT = 8090
ANSWER_LIMIT = 1.5
INTERVAL = 0.2


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


def outcomes(clients: dict[str, GaxClient], run: str) -> Iterator[dict[str, Any]]:
    """Write for ever, one number at a time; what came of each: ``accepted``, ``refused`` or ``unknown``."""
    sites = list(clients)
    for number in count(1):
        site, begun = sites[0], time.time()
        try:
            outcome = "accepted" if clients[site].write(f"{run}-{number}") else "refused"
        except OSError:
            outcome = "unknown"
        if outcome != "accepted":
            sites.append(sites.pop(0))
        yield {"number": number, "site": site, "begun": begun, "ended": time.time(), "outcome": outcome}


def main(lab_id: str, run: str, log: str) -> None:
    """Write until SIGTERM, or until the log is taken away."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    lab = Lab(lab_id)
    hosts = {site: lab.topology.of_kind("cfg", site)[0].address for site in lab.topology.sites}
    password = lab.secret("gax")
    clients = {site: GaxClient(address, GAX_USER, password) for site, address in hosts.items()}
    with Path(log).open("a") as stream:
        for outcome in outcomes(clients, run):
            stream.write(json.dumps(outcome) + "\n")
            stream.flush()
            # A lab that goes down or is reset takes its log away: nobody is left to stop us.
            if stop.wait(INTERVAL) or not Path(log).exists():
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
