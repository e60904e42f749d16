# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a device, over Ansible's persistent network_cli connection.

The connection lives in a process of its own on the managing host and is asked over a Unix socket (JSON-RPC). It logs
in, becomes privileged and knows the prompts. `get` runs one command, `edit_config` enters configuration mode, sends the
lines and leaves it (ansible.netcommon's network_cli, cisco.ios' cliconf plugin).
"""

from __future__ import annotations

import re
import socket
from typing import List, Optional, Protocol

from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.module_utils.connection import Connection, ConnectionError, recv_data, send_data
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError

_REFUSED = re.compile(r"^\s*(% [^\r\n]+|%Error[^\r\n]*|Command authorization failed[^\r\n]*)", re.MULTILINE)


class CommandError(GatewayError):
    """The device answered, and refused the command; what it was told before that stands."""


class Cli(Protocol):
    """A device's command line, logged in and privileged."""

    host: str
    """The device's name or address, for messages."""

    def run(self, command: str) -> str:
        """Return what the device prints for one command. Raises CommandError when it refuses, GatewayError else."""

    def configure(self, lines: List[str]) -> str:
        """Send the lines in configuration mode, and leave it. Raises as `run`; earlier lines then stand."""


def refusal(text: str) -> Optional[str]:
    """Return the line in which the device refuses a command (`% Invalid input detected …`), or None."""
    found = _REFUSED.search(text)
    return found[1].strip() if found else None


class ConnectionCli:
    """A Cli over the socket of Ansible's persistent connection; `timeout` (s) holds for each request."""

    def __init__(self, socket_path: str, timeout: float) -> None:
        """Ask the connection whom it talks to. Raises GatewayError without a socket, or when nothing answers."""
        self.host = "the gateway"
        if not socket_path:
            raise GatewayError("a connection with a command line is expected: ansible_connection has to be network_cli")
        self._connection = _TimedConnection(socket_path, timeout)
        self.host = str(self._ask("get_option", "host"))

    def run(self, command: str) -> str:
        """Run one command in privileged mode."""
        answer = str(self._ask("get", command))
        refused = refusal(answer)
        if refused:
            raise CommandError(f"{self.host}: {command}: {refused}")
        return answer

    def configure(self, lines: List[str]) -> str:
        """Send the lines in configuration mode."""
        try:
            answer = self._ask("edit_config", lines)
        except CommandError:
            # A refused line leaves the session in configuration mode, where no `show` is understood.
            self._ask("get", "end")
            raise
        responses = answer.get("response", []) if isinstance(answer, dict) else []
        printed = "\n".join(map(str, responses))
        refused = refusal(printed)
        if refused:
            raise CommandError(f"{self.host}: configure terminal: {refused}")
        return printed

    def _ask(self, method: str, *parameters: object) -> object:
        try:
            return getattr(self._connection, method)(*parameters)
        except ConnectionError as error:
            raise self._error(method, _printed(to_text(error)), error) from error

    def _error(self, method: str, message: str, error: ConnectionError) -> GatewayError:
        refused = refusal(message)
        if refused:
            # The device repeats the line that it was given before it says what it thinks of it.
            return CommandError(f"{self.host}: {message.strip().splitlines()[0].strip()}: {refused}")
        if isinstance(error.__context__, socket.timeout):
            return GatewayError(f"{self.host}: no answer within {self._connection.timeout:g} s ({method})")
        return GatewayError(f"{self.host}: {method}: {' '.join(message.split())}")


def _printed(message: str) -> str:
    r"""Return what the device printed: network_cli hands it on as Python shows bytes, b"no pre\r\n% Invalid …"."""
    shown = re.match(r"^b(?P<quote>['\"])(?P<text>.*)(?P=quote)$", message, re.DOTALL)
    return shown["text"].replace("\\r", "").replace("\\n", "\n") if shown else message


class _TimedConnection(Connection):
    """Ansible's connection, which by itself would wait for an answer for ever."""

    def __init__(self, socket_path: str, timeout: float) -> None:
        super().__init__(socket_path)
        self.timeout = timeout

    def send(self, data: str) -> str:
        """Send one JSON-RPC request and return the reply."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(self.timeout)
            channel.connect(self.socket_path)
            send_data(channel, to_bytes(data))
            reply = recv_data(channel)
        if reply is None:
            raise ConnectionError("the connection was closed without an answer (ansible_command_timeout, log-in)")
        return str(to_text(reply, errors="surrogate_or_strict"))
