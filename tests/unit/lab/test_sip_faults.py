# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP faults: whose they are, what begins and ends them, and what the configuration of the stand-ins makes of them."""

from __future__ import annotations

import re

import pytest
from two_site_lab import actions, injection, sip_faults
from two_site_lab.cli import parser
from two_site_lab.errors import LabError
from two_site_lab.faults import PROCESS_KINDS, SIP_KINDS, Fault
from two_site_lab.standin_files import text
from two_site_lab.topology import topology

LAB = topology("t")


def fault(kind, **how):
    return Fault(kind, "s1-sip-a", 0.0, 9.0, unit=sip_faults.UNIT, **how)


def test_a_site_speaks_by_both_its_legs_a_host_for_itself():
    assert sip_faults.speakers(LAB, "site2") == ["s2-sip-a", "s2-sip-b"]
    assert sip_faults.speakers(LAB, "s1-gw") == ["s1-gw"]
    assert sip_faults.speakers(LAB, "pstn") == ["pstn"]


@pytest.mark.parametrize("name", ["s1-cfg", "phones", "carrier", "nowhere"])
def test_what_speaks_no_sip_is_refused_with_those_that_do(name):
    with pytest.raises(LabError, match=f"{name} .*site1 .*s2-gw"):
        sip_faults.speakers(LAB, name)


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        (fault("refuse", code=500), "refuse", 500),
        (fault("overload"), "overload", 1),
        (fault("slow", delay=70), "delay", 70),
    ],
)
def test_each_fault_sets_one_key_that_the_stand_ins_read(given, key, value):
    assert sip_faults.begin(given)[-4:] == ["htable.seti", "fault", key, str(value)]
    assert sip_faults.end(given) == [*sip_faults.begin(given)[:-1], "0"]
    assert f"$sht(fault=>{key})" in text("kamailio/faults.cfg")


def test_every_sip_fault_has_words_to_break_and_to_mend():
    assert set(SIP_KINDS) < set(PROCESS_KINDS)
    for kind in PROCESS_KINDS:
        broken = fault(kind, code=500, delay=1)
        assert injection._break(broken) and injection._mend(broken)


def test_the_words_of_a_person():
    assert fault("refuse", code=486).words() == "s1-sip-a refuses calls with 486"
    assert fault("overload").words() == "s1-sip-a answers 503 to everything"
    assert fault("slow", delay=3000).words() == "s1-sip-a replies 3000 ms late"


def test_the_words_of_the_command_line():
    assert vars(parser().parse_args(["refuse", "site1"]))["code"] == 500
    options = parser().parse_args(["refuse", "s1-gw", "486", "--for", "5"])
    assert (options.action, options.target, options.code, options.seconds) == (actions.refuse, "s1-gw", 486, 5)
    assert parser().parse_args(["overload", "site2"]).action == actions.overload
    options = parser().parse_args(["slow", "site1", "3000"])
    assert (options.action, options.milliseconds, options.seconds) == (actions.slow, 3000, None)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["refuse", "site1", "200"], "300 to 699"),
        (["refuse", "site1", "700"], "300 to 699"),
        (["slow", "site1", "0"], "1 to 30000 ms"),
        (["slow", "site1", "30001"], "1 to 30000 ms"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(words, why):
    options = parser().parse_args(words)
    with pytest.raises(LabError, match=why):
        options.action(None, options)


@pytest.mark.parametrize("role", ["sip_server", "gateway", "carrier"])
def test_each_role_hands_its_requests_to_the_faults_first(role):
    request_route, served = text(f"{role}/kamailio.cfg").split("route[SERVE] {")
    assert 'import_file "/etc/kamailio/faults.cfg"' in request_route
    assert request_route.rstrip().endswith("route(FAULTY);\n}")
    assert "route(ONLY_NEW_CALLS);" in served


def test_no_reply_of_a_stand_in_forgets_the_transaction_of_a_late_request():
    for name in (
        "kamailio/common.cfg",
        "kamailio/faults.cfg",
        *(f"{role}/kamailio.cfg" for role in ("sip_server", "gateway")),
    ):
        assert not re.search(r"\bsl_send_reply\(", text(name)), name
