"""The kind `call`: the judgement as a table, then real calls through the runner."""

from __future__ import annotations

import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import call, runner
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import HANG_UP, PACKETS, CallOutcome
from call_doubles import ANSWERS, callee
from sip_doubles import mute

DONE = CallOutcome(200, "OK", 180, 0.02, 1, PACKETS, PACKETS, True)
DUMB = CallOutcome(200, "OK", 180, 0.04, 1, 250, 0, True)
SILENT = CallOutcome(invites=5)
RINGING = CallOutcome(provisional=180, invites=1)
UNSENT = CallOutcome(error="Network is unreachable")

FAST = Settings(sip_t1=0.02, call_deadline=0.6)


def refused(status):
    return CallOutcome(status, "No", 100, 0.01, 1)


@pytest.mark.parametrize(
    ("outcomes", "value", "answered"),
    [
        ([DONE, DONE, DONE], "up", True),
        ([DONE, DONE, SILENT], "up", True),
        ([DONE, SILENT, SILENT], "down", True),
        ([DONE, DUMB, DUMB], "down", True),
        ([DUMB, DUMB, DUMB], "down", True),
        ([SILENT, SILENT, SILENT], "down", False),
        ([RINGING, RINGING, RINGING], "down", False),
        ([refused(500)] * 3, "down", False),
        ([refused(404), refused(480), refused(408)], "down", False),
        ([refused(503)] * 3, "unknown", False),
        ([refused(500), refused(500), refused(503)], "down", False),
        ([refused(500), refused(503), refused(503)], "unknown", False),
        ([DONE, refused(503), refused(500)], "unknown", True),
        ([DONE, DONE, refused(503)], "up", True),
        ([UNSENT] * 3, "unknown", False),
        ([DONE, UNSENT, SILENT], "unknown", True),
        ([SILENT], "unknown", False),
        ([], "unknown", False),
    ],
)
def test_two_of_three(outcomes, value, answered):
    found = call.judge(outcomes, 2)
    assert (found["value"], found["answered"]) == (value, answered)


@pytest.mark.parametrize("status", [486, 503, 600, 603, 401, 407])
def test_load_and_a_wanted_password_are_never_death(status):
    assert call.judge([refused(status)] * 3, 2)["value"] == "unknown"
    assert call.judge([refused(status), refused(status), SILENT], 2)["value"] == "unknown"


def test_a_500_that_will_pass_is_load():
    passing = CallOutcome(500, "No", 100, 0.01, 1, retry_after=True)
    found = call.judge([passing] * 3, 2)
    assert (found["value"], found["busy"]) == ("unknown", 3)
    assert call.judge([CallOutcome(404, "No", 100, 0.01, 1, retry_after=True)] * 3, 2)["value"] == "down"


@pytest.mark.parametrize(
    "status", [301, 302, 400, 403, 404, 408, 480, 481, 484, 487, 488, 500, 501, 502, 504, 505, 606]
)
def test_every_other_refusal_is_a_call_that_failed(status):
    assert call.judge([refused(status)] * 3, 2)["value"] == "down"


def test_more_failures_never_make_the_answer_better():
    worse = {"up": 0, "unknown": 1, "down": 2}
    kinds = (DONE, refused(503), SILENT)
    for first in kinds:
        for second in kinds:
            values = [call.judge([first, second, third], 2)["value"] for third in kinds]
            assert [worse[value] for value in values] == sorted(worse[value] for value in values)


def test_the_figures_of_an_answer():
    found = call.judge([DONE, DUMB, refused(486), refused(401), SILENT], 1)
    assert (found["made"], found["completed"], found["busy"]) == (5, 1, 1)
    assert found["statuses"] == {"200": 2, "486": 1, "401": 1, "none": 1}
    assert found["rtt"] == pytest.approx(0.03)
    assert call.judge([SILENT], 1)["rtt"] is None
    assert call.judge([DONE], 1)["statuses"] == {"200": 1, "none": 0}


def test_the_detail_says_what_was_wrong_most_of_all_first():
    found = call.judge([refused(500), refused(500), DUMB, SILENT, RINGING, UNSENT, DONE], 2)
    assert found["detail"] == (
        "1 of 7 calls completed, 2 x 500 No, 1 x no media (0 packets came back, 250 were sent), 1 x silence, "
        "1 x no answer after 180, 1 x could not be sent: Network is unreachable"
    )
    unended = CallOutcome(200, "OK", 180, 0.02, 1, PACKETS, PACKETS, False)
    assert call.judge([unended] * 3, 2)["detail"] == "3 of 3 calls completed, 3 x BYE was not answered"


def check(uas, **more):
    return {"id": "calls:site1:gw", "kind": "call", "address": "127.0.0.1", "port": uas.sip.port, "dn": "8001", **more}


def test_calls_that_work():
    with callee() as uas:
        found = runner.run_checks([check(uas, transport="udp")], FAST)[0]
    assert (found["id"], found["kind"], found["value"], found["made"]) == ("calls:site1:gw", "call", "up", 3)
    assert uas.methods.count("INVITE") == 3
    assert {message.uri.partition("@")[0] for message in uas.messages if message.method == "INVITE"} == {"sip:8001"}


def test_as_many_calls_as_the_settings_say():
    with callee({**ANSWERS, "INVITE": [(0, "500 Dead")]}) as uas:
        found = call.look(check(uas), Settings(call_tries=5, call_quorum=4))
    assert (found["made"], found["statuses"], found["value"]) == (5, {"500": 5, "none": 0}, "down")


def test_silence_ends_within_the_deadline_of_the_kind():
    settings = Settings(sip_t1=0.02, call_deadline=0.2)
    with callee({}, media=mute) as uas:
        started = time.monotonic()
        found = runner.run_checks([check(uas)], settings)[0]
    assert time.monotonic() - started < runner.deadline("call", settings) + runner.GRACE
    assert (found["value"], found["detail"]) == ("down", "0 of 3 calls completed, 3 x silence")
    assert runner.deadline("call", settings) == 0.2 + HANG_UP


def test_what_a_check_cannot_do_without():
    assert runner.missing_parameters({"id": "x", "kind": "call", "port": 5060}) == [
        "x: address is missing",
        "x: dn is missing",
    ]


def test_a_transport_that_calls_cannot_use_is_no_word_about_the_site():
    with callee() as uas:
        found = runner.run_checks([check(uas, transport="sctp")], FAST)[0]
    assert (found["value"], found["answered"]) == ("unknown", False)
    assert "udp or tcp" in found["detail"]
