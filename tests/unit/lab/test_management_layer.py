# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and output of mlcmd, and what Solution Control Server makes of its agents' answers."""

from __future__ import annotations

import threading

import pytest
from standins.config_server.line_server import LineServer
from standins.config_server.wire import RefusedError
from standins.mlcmd import command
from standins.scs.server import ask_agent, combined

COMPLETE = ["-cshost", "h", "-csport", "2020", "-csuser", "u", "-cspassword", "p", "-csappname", "default"]


@pytest.fixture
def line_server():
    servers = []

    def serve(answer):
        server = LineServer(0, answer)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return server.server_address[1]

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_output_is_four_lines_for_each_application(line_server, capsys):
    def answer(request):
        if request["op"] == "login":
            return {}
        return {"applications": [{"name": "SCS_site1", "dbid": "110", "status": "Running", "runmode": "Primary"}]}

    port = str(line_server(answer))
    words = [*COMPLETE, "-scshost", "127.0.0.1", "-scsport", port, "-getallappstatus"]
    words[1], words[3] = "127.0.0.1", port
    assert command.main(words) == 0
    assert capsys.readouterr().out == "Application: SCS_site1\nDBID: 110\nStatus: Running\nRunmode: Primary\n"


def test_help_prints_version_and_usage(capsys):
    assert command.main(["-help"]) == 0
    out = capsys.readouterr().out
    assert "version" in out
    assert all(name in out for name in command.MANDATORY)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["-getallappstatus"], "missing mandatory parameter -cshost"),
        (COMPLETE, "exactly one command parameter"),
        ([*COMPLETE, "-startapp"], "unknown parameter -startapp"),
    ],
)
def test_a_wrong_command_line_is_named(words, why, capsys):
    assert command.main(words) == 1
    assert why in capsys.readouterr().err


def test_a_refused_log_in_is_an_error(line_server, capsys):
    def answer(request):
        raise RefusedError("wrong user name or password")

    words = [*COMPLETE, "-getallappstatus"]
    words[1], words[3] = "127.0.0.1", str(line_server(answer))
    assert command.main(words) == 1
    assert "wrong user name" in capsys.readouterr().err


def test_a_silent_or_strange_agent_is_unknown(line_server):
    def answer(request):
        return {"something": "else"}

    assert ask_agent("127.0.0.1", line_server(answer)) == {}
    applications = [
        {"name": "here", "dbid": "1", "serverinfo": {"hostdbid": "101"}},
        {"name": "silent", "dbid": "2", "serverinfo": {"hostdbid": "102"}},
        {"name": "nowhere", "dbid": "3", "serverinfo": None},
    ]
    seen = {"101": {"here": {"name": "here", "status": "Running", "runmode": "Backup"}}, "102": {}}
    assert combined(applications, seen) == [
        {"name": "here", "dbid": "1", "status": "Running", "runmode": "Backup"},
        {"name": "silent", "dbid": "2", "status": "Unknown", "runmode": "Unknown"},
    ]
