# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and output of mlcmd, the control agent, and what Solution Control Server has its agents do."""

from __future__ import annotations

import threading
import time

import pytest
from standins.config_server.line_server import LineServer
from standins.config_server.wire import RefusedError
from standins.lca import agent as lca
from standins.message_server.server import MessageServer, configured
from standins.mlcmd import command
from standins.scs.server import SolutionControl, ask_agent, combined

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


APPLICATIONS = {
    "confserv": {"unit": "a.service", "command": "sleep 30"},
    "gax": {"unit": "b.service"},
}


@pytest.fixture
def agent(tmp_path, monkeypatch):
    units = {"a.service": "inactive", "b.service": "active"}
    monkeypatch.setattr(lca, "_unit_state", units.get)
    made = lca.Agent(APPLICATIONS, tmp_path / "lca.json")
    made.units = units
    yield made
    for child in made._children.values():
        child.kill()
        child.wait()


def states(agent):
    return {
        item["name"]: (item["status"], item["ran_before"]) for item in agent.answer({"op": "status"})["applications"]
    }


def test_an_application_is_started_by_its_command_line_and_stopped(agent):
    pid = agent.answer({"op": "start", "application": "confserv"})["pid"]
    assert states(agent)["confserv"] == ("Running", False)
    with pytest.raises(RefusedError, match="runs already"):
        agent.answer({"op": "start", "application": "confserv"})
    agent.answer({"op": "stop", "application": "confserv"})
    assert pid > 0
    assert states(agent)["confserv"] == ("Stopped", False)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"op": "start", "application": "gax"}, "has no command line"),
        ({"op": "start", "application": "nobody"}, "no Application nobody"),
        ({"op": "stop", "application": "gax"}, "was not started by this agent"),
        ({"op": "reboot"}, "status, ping, start and stop"),
    ],
)
def test_what_an_agent_cannot_do_it_refuses(agent, request_, why):
    with pytest.raises(RefusedError, match=why):
        agent.answer(request_)


def test_a_command_line_that_refuses_leaves_the_application_stopped(agent, monkeypatch):
    monkeypatch.setitem(APPLICATIONS["confserv"], "command", "false")
    agent.answer({"op": "start", "application": "confserv"})
    agent._children["confserv"].wait(5)
    assert states(agent)["confserv"][0] == "Stopped"


def test_who_ran_is_known_after_the_next_boot_unless_somebody_stopped_it(agent, tmp_path):
    agent.units["a.service"] = "active"
    agent.look()
    agent.units["a.service"] = "inactive"
    after_boot = lca.Agent(APPLICATIONS, tmp_path / "lca.json")
    assert states(after_boot) == {"confserv": ("Stopped", True), "gax": ("Running", False)}
    with pytest.raises(RefusedError):
        after_boot.answer({"op": "stop", "application": "confserv"})
    assert states(lca.Agent(APPLICATIONS, tmp_path / "lca.json"))["confserv"] == ("Stopped", False)


def test_what_ran_before_is_started_at_the_first_look_and_when_an_agent_comes_back(agent, line_server, monkeypatch):
    agent._remember({"confserv"})
    port = line_server(agent.answer)
    control = SolutionControl()
    control._hosts = [{"dbid": "101", "ipaddress": "127.0.0.1", "lcaport": str(port)}]
    for _ in range(2):
        control.look()
        assert states(agent)["confserv"][0] == "Running"
        child = agent._children["confserv"]
        child.kill()
        child.wait()
        control.look()
        assert states(agent)["confserv"][0] == "Stopped", "a failure alone is no restart of the host"
        agent._started = time.time()


def test_nothing_is_started_that_did_not_run(agent, line_server):
    control = SolutionControl()
    control._hosts = [{"dbid": "101", "ipaddress": "127.0.0.1", "lcaport": str(line_server(agent.answer))}]
    control.look()
    assert states(agent)["confserv"] == ("Stopped", False)


def test_a_message_server_waits_for_its_object_and_answers_status(line_server):
    port = line_server(lambda request: {"object": {"name": request["name"]}})
    server = MessageServer(configured("MessageServer_site1", port))
    assert server.answer({"op": "status"}) == {"application": "MessageServer_site1", "in_service": True}
    with pytest.raises(RefusedError):
        server.answer({"op": "write"})
