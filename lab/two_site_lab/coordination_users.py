# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the users of a new etcd: one for each site and third place, who may use one prefix and nothing else.

Runs in the control namespace (setup.coordination.start); what to make comes as JSON on standard input, so that no
password is on a command line. The JSON interface is https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
import time
from collections.abc import Mapping
from typing import Any

POLL = 0.1
ANSWER_LIMIT = 3.0
ROLE = "continuity"
Call = tuple[str, dict[str, Any]]


class NotYetError(Exception):
    """The member did not take the call; the text is what it said."""


def calls(prefix: str, root: str, users: Mapping[str, str], keys: Mapping[str, object]) -> list[Call]:
    """What makes the users and lays the first ``keys`` (JSON), in order; whoever comes after the last must log in."""
    # The end of the range is the first key after all that begin with the prefix and a slash: '0' follows '/'.
    rights = {"permType": "READWRITE", "key": _bytes(f"{prefix}/"), "range_end": _bytes(f"{prefix}0")}
    made: list[Call] = [
        ("auth/user/add", {"name": "root", "password": root}),
        ("auth/role/add", {"name": "root"}),
        ("auth/user/grant", {"user": "root", "role": "root"}),
        ("auth/role/add", {"name": ROLE}),
        ("auth/role/grant", {"name": ROLE, "perm": rights}),
    ]
    for user, password in users.items():
        made.append(("auth/user/add", {"name": user, "password": password}))
        made.append(("auth/user/grant", {"user": user, "role": ROLE}))
    for key, value in keys.items():
        made.append(("kv/put", {"key": _bytes(f"{prefix}/{key}"), "value": _bytes(json.dumps(value))}))
    return [*made, ("auth/enable", {})]


def _bytes(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def make(wanted: Mapping[str, Any]) -> None:
    """Make everything on the first member that answers; NotYetError after the deadline (seconds)."""
    end = time.monotonic() + wanted["deadline"]
    trust = ssl.create_default_context(cafile=wanted["ca_file"])
    todo = calls(wanted["prefix"], wanted["root"], wanted["users"], wanted["keys"])
    members = list(wanted["endpoints"])
    while todo:
        host, _, port = members[0].partition(":")
        member = http.client.HTTPSConnection(host, int(port), timeout=ANSWER_LIMIT, context=trust)
        try:
            while todo:
                _ask(member, *todo[0])
                todo.pop(0)
        except (OSError, http.client.HTTPException, NotYetError) as error:
            if time.monotonic() > end:
                raise NotYetError(f"{members[0]}: {error}") from error
            members.append(members.pop(0))
            time.sleep(POLL)
        finally:
            member.close()


def _ask(member: http.client.HTTPSConnection, path: str, body: dict[str, Any]) -> None:
    member.request("POST", f"/v3/{path}", json.dumps(body), {"Content-Type": "application/json"})
    reply = member.getresponse()
    said = json.loads(reply.read() or b"{}")
    # An answer that was lost may have been a yes: what is there already is as wanted.
    if reply.status != http.HTTPStatus.OK and "already exists" not in str(said.get("message", "")):
        raise NotYetError(f"{path}: {said.get('message') or said.get('error')}")


def main() -> int:
    """Exit status 1 with the reason on standard error."""
    try:
        make(json.load(sys.stdin))
    except NotYetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
