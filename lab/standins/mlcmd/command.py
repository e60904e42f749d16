# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for mlcmd: the documented command line, and the output that public scripts read.

Only ``-help`` and ``-getallappstatus`` are known from the vendor's page and from working scripts; no other operation is
made up here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from standins.config_server.wire import Client, Message, RefusedError

VERSION = "8.5.1"
ANSWER_LIMIT = 10.0
MANDATORY = ("-cshost", "-csport", "-csuser", "-cspassword", "-csappname")
OPTIONAL = ("-scshost", "-scsport")
OPERATIONS = ("-getallappstatus",)
USAGE = f"""mlcmd (stand-in) version {VERSION}
Usage: mlcmd <mandatory parameters> <optional parameters> <command parameter>
Mandatory parameters:
  -cshost hostname  -csport portnumber  -csuser username  -cspassword password  -csappname application_name
Optional parameters:
  -scshost hostname  -scsport portnumber
Command parameters:
  -getallappstatus
  -help
"""


class UsageError(Exception):
    """The command line is not as documented; the text says where."""


def parse(arguments: Sequence[str]) -> tuple[dict[str, str], str]:
    """The parameters by name, and the one operation; UsageError names what is missing or unknown."""
    values: dict[str, str] = {}
    operations = []
    words = iter(arguments)
    for word in words:
        if word in OPERATIONS:
            operations.append(word)
        elif word in MANDATORY + OPTIONAL:
            values[word] = next(words, "")
        else:
            raise UsageError(f"unknown parameter {word}")
    missing = [name for name in MANDATORY if not values.get(name)]
    if missing:
        raise UsageError(f"missing mandatory parameter {', '.join(missing)}")
    if len(operations) != 1:
        raise UsageError("exactly one command parameter is expected")
    return values, operations[0]


def report(applications: Sequence[Message]) -> str:
    """The group of four lines for each Application, in the order given."""
    return "".join(
        f"Application: {app['name']}\nDBID: {app['dbid']}\nStatus: {app['status']}\nRunmode: {app['runmode']}\n"
        for app in applications
    )


def application_status(values: dict[str, str]) -> Sequence[Message]:
    """Log in at the Configuration Server, then ask Solution Control Server; OSError or RefusedError if one says no."""
    with Client(values["-cshost"], int(values["-csport"]), ANSWER_LIMIT) as confserv:
        confserv.ask(op="login", username=values["-csuser"], password=values["-cspassword"])
    address = values.get("-scshost", values["-cshost"])
    with Client(address, int(values.get("-scsport", 7070)), ANSWER_LIMIT) as scs:
        return scs.ask(op="application_status")["applications"]


def main(arguments: Sequence[str]) -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    if "-help" in arguments:
        sys.stdout.write(USAGE)
        return 0
    try:
        values, _ = parse(arguments)
        sys.stdout.write(report(application_status(values)))
    except (UsageError, RefusedError, OSError, ValueError) as error:
        print(f"mlcmd: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
