# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the command line."""

from __future__ import annotations

import pytest
from two_site_lab import actions
from two_site_lab.cli import parser
from two_site_lab.errors import LabError


def parse(*words):
    return parser().parse_args(words)


@pytest.mark.parametrize("words", [("--id", "dr2", "up"), ("up", "--id", "dr2")])
def test_the_id_may_stand_on_either_side(words):
    assert parse(*words).id == "dr2"


def test_the_id_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SIP_DR_LAB", "env")
    assert parse("status").id == "env"
    monkeypatch.delenv("SIP_DR_LAB")
    assert parse("status").id == "dr"


def test_kill_is_of_a_site_a_host_or_a_unit():
    assert (parse("kill", "site1").target, parse("kill", "site1").unit) == ("site1", "")
    assert parse("kill", "s1-gw", "kamailio", "--for", "30").seconds == 30


def test_freeze_is_of_a_host_or_a_unit():
    assert (parse("freeze", "s1-cfg", "--for", "9").unit, parse("freeze", "s1-cfg", "--for", "9").seconds) == ("", 9)
    assert parse("freeze", "s1-cfg", "ssh").unit == "ssh"


def test_cut_in_all_its_ways():
    options = parse("cut", "site1", "site2", "--one-way", "--port", "22", "--port", "4999", "--for", "5")
    assert (options.a, options.b, options.one_way, options.new_flows, options.ports) == (
        "site1",
        "site2",
        True,
        False,
        [22, 4999],
    )
    assert parse("cut", "control", "all").ports == []


def test_flap_and_reboot_say_how_long():
    options = parse("flap", "site1", "site2", "--down", "4", "--up", "20", "--port", "5060")
    assert (options.down, options.up, options.ports) == (4, 20, [5060])
    assert parse("reboot", "site1", "--after", "90").after == 90
    for wrong in (("flap", "a", "b", "--down", "4"), ("reboot", "site1")):
        with pytest.raises(SystemExit):
            parse(*wrong)


@pytest.mark.parametrize(
    ("words", "action", "said"),
    [
        (("flap", "site1", "site2", "--down", "0.1", "--up", "9"), actions.flap, "0.5 seconds or more"),
        (("reboot", "site1", "--after", "0"), actions.reboot, "more than 0"),
    ],
)
def test_times_that_cannot_be_are_refused(words, action, said):
    with pytest.raises(LabError, match=said):
        action(None, parse(*words))


@pytest.mark.parametrize("word", ["up", "reset"])
def test_the_master_may_start_at_either_site(word):
    assert parse(word, "--master", "site2").master == "site2"
    assert parse(word).master is None


def test_run_hands_everything_on():
    assert parse("run", "s1-cfg", "ls", "-l", "--all").words == ["ls", "-l", "--all"]


@pytest.mark.parametrize("word", list(actions.PLUGS))
def test_plugs_hand_everything_on(word):
    assert parse(word, "start", "--rate", "3").words == ["start", "--rate", "3"]


def test_lost_power_takes_no_time():
    with pytest.raises(LabError, match="revive site1"):
        actions.kill(None, parse("kill", "site1", "--for", "5"))
