# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that arrive one host at a time, folded into one series of decisions."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import coordination_hosts, observers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import probe_checks
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils import watch
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.watch import OFTEN, SELDOM, Mail, Mailbox, Watch

NOW = 1_800_000_000.0


def answered(check):
    """An answer that says that all is well, and that the master is at ams."""
    answer = {"id": check["id"], "kind": check["kind"], "value": "up", "answered": True, "detail": "well"}
    if check["kind"] == "master" and check["about"] == "fra":
        answer["value"] = "down"
    if check["kind"] == "gateway":
        answer["targets"] = {site: {**answer, "options": "up"} for site in check["sites"]}
    if check["kind"] == "coordination":
        answer["store"] = {"host": "x", "now": NOW, "records": {}, "lock": None, "token": 0, "unreadable": {}}
    return answer


def probe(checks):
    return {"reached": True, "answers": [answered(check) for check in checks], "run": {"token": 0, "journal": []}}


@pytest.fixture
def watching(continuity):
    """Return a watch that has all hosts' answers, all well, as of NOW."""
    watching = Watch(continuity, continuity["continuity_policy"], {})
    for host in {*observers(continuity), *coordination_hosts(continuity)}:
        for pace, checks in watch.paces(probe_checks(continuity, host)).items():
            watching.take(host, pace, Mail(NOW, probe(checks) if checks else None))
    return watching


def test_it_waits_for_a_word_of_every_host_about_everything(continuity):
    watching = Watch(continuity, {}, {})
    assert watching.waits_for(["a"])
    watching.take("a", OFTEN, Mail(NOW, {}))
    assert watching.waits_for(["a"])
    watching.take("a", SELDOM, Mail(NOW, {}))
    assert not watching.waits_for(["a"])


def test_what_costs_more_is_asked_seldom(continuity):
    kinds = {
        pace: {
            check["kind"]
            for host in {*observers(continuity), *coordination_hosts(continuity)}
            for check in watch.paces(probe_checks(continuity, host))[pace]
        }
        for pace in watch.PACE
    }
    assert {"sip_options", "gateway", "monitoring_page", "tcp"} <= kinds[OFTEN]
    assert kinds[SELDOM] >= {"coordination", "database"}
    assert not kinds[OFTEN] & watch.COSTLY


def test_every_observation_is_judged_by_track_from_the_state_before(watching):
    first = watching.judge(NOW + 1)
    assert first.before == {}
    assert (first.state, first.decision) == verdict.track({}, first.observation, watching._policy)
    later = watching.judge(NOW + 8)
    assert later.before == first.state


def test_what_is_stored_goes_on(continuity, watching):
    kept = watching.judge(NOW + 1).state
    again = Watch(continuity, continuity["continuity_policy"], {})
    for (host, pace), mail in watching._mails.items():
        for answer in (mail.probe or {}).get("answers", []):
            if answer["kind"] == "coordination":
                answer["store"]["records"] = {"track": {"version": 4, "value": kept}}
        again.take(host, pace, mail)
    assert again.judge(NOW + 2).before == kept
    assert again.store["versions"] == {"track": 4}


def test_nothing_new_is_judged_when_the_interval_is_over(watching):
    watching.judge(NOW)
    assert watching.judge(NOW + watch.CALM_INTERVAL - 0.1) is None
    assert watching.judge(NOW + watch.CALM_INTERVAL) is not None


def test_a_running_clock_is_looked_at_more_often(watching, continuity):
    watching.take(continuity["continuity_witness"], OFTEN, Mail(NOW, {}))
    for name in list(watching._mails):
        watching._mails[name] = Mail(NOW, {})
    judged = watching.judge(NOW + 1)
    assert judged.decision["remaining"]
    assert watching.judge(NOW + 1 + watch.CLOCK_INTERVAL) is not None


def test_a_change_is_judged_at_once(watching, continuity):
    watching.judge(NOW)
    watching.take(continuity["continuity_witness"], OFTEN, Mail(NOW + 0.1, {}))
    judged = watching.judge(NOW + 0.2)
    assert judged.observation["sites"]["ams"]["witness"]["value"] == "unknown"


def test_an_observation_is_as_old_as_its_oldest_answer(watching, continuity):
    watching.take(
        continuity["continuity_witness"],
        OFTEN,
        Mail(NOW + 5, watching._mails[continuity["continuity_witness"], OFTEN].probe),
    )
    assert watching.judge(NOW + 6).observation["sites"]["ams"]["peer"]["at"] == watch.moment(NOW)


def test_answers_older_than_fresh_are_none(watching):
    judged = watching.judge(NOW + 20.5)
    assert judged.decision["raw"] == "OBSERVER_BLIND"


def test_an_earlier_look_that_ends_later_says_nothing(watching, continuity):
    witness = continuity["continuity_witness"]
    before = watching._mails[witness, OFTEN]
    watching.take(witness, OFTEN, Mail(NOW - 1, {}))
    assert watching._mails[witness, OFTEN] is before


def test_a_host_that_is_not_reached_keeps_no_older_answers(watching, continuity):
    for host in continuity["continuity_sites"]["ams"]["vantage"]:
        watching.take(host, OFTEN, Mail(NOW + 1, {}))
    site = watching.judge(NOW + 2).observation["sites"]["ams"]
    assert (site["trunk"]["value"], site["database"]["role"]) == ("unknown", "unknown")


def test_what_would_be_lost_with_the_controller_is_worth_keeping(watching):
    first, second = watching.judge(NOW + 1), watching.judge(NOW + 7)
    assert first.state != second.state
    assert watch.worth_keeping(first)["raw"] == watch.worth_keeping(second)["raw"]


def test_a_mailbox_gives_each_word_once_and_the_newest_only(tmp_path):
    box, other = Mailbox(tmp_path / "box"), Mailbox(tmp_path / "box")
    assert box.read("a") is None
    assert not box.holds("a")
    other.post("a", {"n": 1})
    other.post("a", {"n": 2})
    assert box.holds("a")
    assert [box.read("a"), box.read("a")] == [{"n": 2}, None]
    other.post("a", {"n": 3})
    assert box.read("a") == {"n": 3}


def test_a_host_that_only_keeps_the_store_is_asked_for_it_all_the_same(continuity):
    watching = Watch(continuity, {}, {})
    host = coordination_hosts(continuity)[0]
    checks = watch.paces(probe_checks(continuity, host))
    assert checks[OFTEN] == []
    watching.take(host, OFTEN, Mail(NOW, None))
    watching.take(host, SELDOM, Mail(NOW + 30, probe(checks[SELDOM])))
    watching.judge(NOW + 31)
    assert watching.store["answered"] == ["x"]
