# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that arrive one host at a time, folded into one series of decisions."""

from __future__ import annotations

import contextlib
import json
import resource
import signal

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import coordination_hosts, observers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import probe_checks
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils import watch
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.watch import OFTEN, SELDOM, Mail, Mailbox, Watch

NOW = 5_000.0  # seconds of CLOCK_MONOTONIC
AHEAD = 1_800_000_000.0  # what the wall clock says more


def judge(watching, now, step=0.0):
    """Judge at a moment; the wall clock was stepped by so many seconds."""
    return watching.judge(now, now + AHEAD + step)


def stored(records=None):
    return {"host": "x", "now": NOW, "records": records or {}, "lock": None, "token": 0, "unreadable": {}}


def answered(check):
    """An answer that says that all is well, and that the master is at ams."""
    answer = {"id": check["id"], "kind": check["kind"], "value": "up", "answered": True, "detail": "well"}
    if check["kind"] == "master" and check["about"] == "fra":
        answer["value"] = "down"
    if check["kind"] == "gateway":
        answer["targets"] = {site: {**answer, "options": "up"} for site in check["sites"]}
    if check["kind"] == "coordination":
        answer["store"] = stored()
    return answer


def probe(checks):
    return {"reached": True, "answers": [answered(check) for check in checks], "run": {"token": 0, "journal": []}}


@pytest.fixture
def watching(continuity):
    """Return a watch that has all hosts' answers, all well, as of NOW."""
    return all_answered(continuity)


def all_answered(continuity):
    watching = Watch(continuity, continuity["continuity_policy"], {}, NOW)
    for host in {*observers(continuity), *coordination_hosts(continuity)}:
        for pace, checks in watch.paces(probe_checks(continuity, host)).items():
            watching.take(host, pace, Mail(NOW, probe(checks) if checks else None))
    return watching


def test_it_waits_for_a_word_of_every_host_about_everything(continuity):
    watching = Watch(continuity, {}, {}, NOW)
    assert watching.waits_for(["a"], NOW)
    watching.take("a", OFTEN, Mail(NOW, {}))
    assert watching.waits_for(["a"], NOW)
    watching.take("a", SELDOM, Mail(NOW, {}))
    assert not watching.waits_for(["a"], NOW)


def test_a_first_look_that_hangs_holds_up_no_other(continuity):
    watching = Watch(continuity, {"fresh": 17}, {}, NOW)
    watching.take("a", OFTEN, Mail(NOW, {}))
    assert watching.waits_for(["a", "b"], NOW + 16.9)
    assert not watching.waits_for(["a", "b"], NOW + 17)
    assert judge(watching, NOW + 17).decision["raw"] == "OBSERVER_BLIND"


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
    first = judge(watching, NOW + 1)
    assert first.before == {}
    assert (first.state, first.decision) == verdict.track({}, first.observation, watching._policy)
    later = judge(watching, NOW + 8)
    assert later.before == first.state


def test_what_is_stored_goes_on(continuity, watching):
    kept = judge(watching, NOW + 1).state
    again = Watch(continuity, continuity["continuity_policy"], {}, NOW)
    for (host, pace), mail in watching._mails.items():
        for answer in (mail.probe or {}).get("answers", []):
            if answer["kind"] == "coordination":
                answer["store"]["records"] = {"track": {"version": 4, "value": kept}}
        again.take(host, pace, mail)
    assert judge(again, NOW + 2).before == kept
    assert again.store["versions"] == {"track": 4}


def test_nothing_new_is_judged_when_the_interval_is_over(watching):
    judge(watching, NOW)
    assert judge(watching, NOW + watch.CALM_INTERVAL - 0.1) is None
    assert judge(watching, NOW + watch.CALM_INTERVAL) is not None


def test_a_running_clock_is_looked_at_more_often(watching, continuity):
    watching.take(continuity["continuity_witness"], OFTEN, Mail(NOW, {}))
    for name in list(watching._mails):
        watching._mails[name] = Mail(NOW, {})
    judged = judge(watching, NOW + 1)
    assert judged.decision["remaining"]
    assert judge(watching, NOW + 1 + watch.CLOCK_INTERVAL) is not None


def test_a_change_is_judged_at_once(watching, continuity):
    judge(watching, NOW)
    watching.take(continuity["continuity_witness"], OFTEN, Mail(NOW + 0.1, {}))
    judged = judge(watching, NOW + 0.2)
    assert judged.observation["sites"]["ams"]["witness"]["value"] == "unknown"


def test_an_observation_is_as_old_as_its_oldest_answer(watching, continuity):
    watching.take(
        continuity["continuity_witness"],
        OFTEN,
        Mail(NOW + 5, watching._mails[continuity["continuity_witness"], OFTEN].probe),
    )
    assert judge(watching, NOW + 6).observation["sites"]["ams"]["peer"]["at"] == watch.moment(NOW + AHEAD)


def test_answers_older_than_fresh_are_none(watching):
    judged = judge(watching, NOW + 20.5)
    assert judged.decision["raw"] == "OBSERVER_BLIND"


def test_an_earlier_look_that_ends_later_says_nothing(watching, continuity):
    witness = continuity["continuity_witness"]
    before = watching._mails[witness, OFTEN]
    watching.take(witness, OFTEN, Mail(NOW - 1, {}))
    assert watching._mails[witness, OFTEN] is before


def test_a_host_that_is_not_reached_keeps_no_older_answers(watching, continuity):
    for host in continuity["continuity_sites"]["ams"]["vantage"]:
        watching.take(host, OFTEN, Mail(NOW + 1, {}))
    site = judge(watching, NOW + 2).observation["sites"]["ams"]
    assert (site["trunk"]["value"], site["database"]["role"]) == ("unknown", "unknown")


def test_what_would_be_lost_with_the_controller_is_worth_keeping(watching):
    first, second = judge(watching, NOW + 1), judge(watching, NOW + 7)
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
    watching = Watch(continuity, {}, {}, NOW)
    host = coordination_hosts(continuity)[0]
    checks = watch.paces(probe_checks(continuity, host))
    assert checks[OFTEN] == []
    watching.take(host, OFTEN, Mail(NOW, None))
    watching.take(host, SELDOM, Mail(NOW + 30, probe(checks[SELDOM])))
    judge(watching, NOW + 31)
    assert watching.store["answered"] == ["x"]


def tell(watching, host, started_at, records, **more):
    """Let a host of the coordination store say what lies there."""
    for (name, pace), mail in list(watching._mails.items()):
        answers = [dict(answer) for answer in (mail.probe or {}).get("answers", [])]
        for answer in answers:
            if name == host and answer["kind"] == "coordination":
                answer["store"] = {**stored(records), **more}
                watching.take(name, pace, Mail(started_at, {**mail.probe, "answers": answers}))


def unread(continuity):
    """Return a watch that has all hosts' answers but the coordination store's."""
    watching = Watch(continuity, continuity["continuity_policy"], {}, NOW)
    for host in {*observers(continuity), *coordination_hosts(continuity)}:
        for pace, checks in watch.paces(probe_checks(continuity, host)).items():
            known = [check for check in checks if check["kind"] != "coordination"]
            watching.take(host, pace, Mail(NOW, probe(known) if checks else None))
    return watching


def downtime(name):
    began, until = (watch.moment(NOW + AHEAD + seconds) for seconds in (-60, 7200))
    return {"at": began, "name": name, "by": "alice", "until": until}


def test_what_people_told_stays_known_while_the_host_that_keeps_it_is_silent(watching, continuity):
    host = coordination_hosts(continuity)[0]
    tell(watching, host, NOW + 1, {"downtime": {"version": 1, "value": [downtime("ams")]}})
    assert judge(watching, NOW + 2).observation["sites"]["ams"]["downtime"]
    others = [name for name in watching._mails if name != (host, SELDOM)]
    for later in (10, 60):
        for name in others:
            watching.take(*name, Mail(NOW + later, watching._mails[name].probe))
        judged = judge(watching, NOW + later + 1)
        assert judged.observation["sites"]["ams"]["downtime"]
    assert (host, SELDOM) in watching._mails
    assert watching.store_read


def test_a_ticket_is_known_as_long_as_it_was_read_lately(continuity):
    continuity["continuity_coordination"]["driver"] = "etcd"
    watching = all_answered(continuity)
    held = ticket.acquired(ticket.first("fra", ["fra-cfg"]), "fra", "fra-cfg", ["fra-cfg"], True)
    host = coordination_hosts(continuity)[0]
    tell(watching, host, NOW + 1, {}, ticket=held, revision=7)
    assert judge(watching, NOW + 2).observation["ticket"] == ticket.observed(held)
    others = [name for name in watching._mails if name != (host, SELDOM)]
    for name in others:
        watching.take(*name, Mail(NOW + 60, watching._mails[name].probe))
    assert "ticket" not in judge(watching, NOW + 61).observation


def test_overrides_of_the_store_are_those_of_the_observation(watching, continuity):
    override = {"name": "without_fence", "run_id": "r", "by": ["alice", "bob"], "until": watch.moment(NOW + AHEAD + 99)}
    said = {"version": 1, "value": [{**override, "at": watch.moment(NOW + AHEAD)}]}
    tell(watching, coordination_hosts(continuity)[0], NOW + 1, {"overrides": said})
    assert judge(watching, NOW + 2).observation["overrides"] == [override]


def test_a_store_that_was_never_read_is_not_an_empty_one(continuity, watching):
    assert judge(unread(continuity), NOW + 1).observation["observer"]["store"] == "unread"
    assert judge(watching, NOW + 1).observation["observer"].get("store", "read") == "read"


def test_what_the_store_remembers_outweighs_what_was_decided_before_it_was_read(continuity, watching):
    kept = judge(watching, NOW - 9).state
    late = unread(continuity)
    assert judge(late, NOW + 1).before == {}
    host = coordination_hosts(continuity)[0]
    (check,) = [check for check in probe_checks(continuity, host) if check["kind"] == "coordination"]
    said = {**answered(check), "store": stored({"track": {"version": 4, "value": kept}})}
    late.take(host, SELDOM, Mail(NOW + 2, {**probe([]), "answers": [said]}))
    first = judge(late, NOW + 2.1)
    assert first.before == kept
    assert judge(late, NOW + 9).before == first.state


def test_a_wall_clock_that_steps_back_makes_nobody_blind(watching):
    """Each answer counts for its age, and the clocks of the decision go on."""
    before = judge(watching, NOW + 1)
    for name, mail in list(watching._mails.items()):
        watching.take(*name, Mail(NOW + 10, mail.probe))
    after = judge(watching, NOW + 11, step=-1800)
    assert after.decision["verdict"] == before.decision["verdict"] != "OBSERVER_BLIND"
    assert after.observation["taken_at"] == watch.moment(NOW + 11 - 1800 + AHEAD)
    assert after.observation["sites"]["ams"]["peer"]["at"] == watch.moment(NOW + 10 - 1800 + AHEAD)
    assert verdict.track(after.before, after.observation, watching._policy) == (after.state, after.decision)
    later = judge(watching, NOW + 17, step=-1800)
    assert later.before == after.state


def test_an_observation_is_dated_by_the_wall_clock(watching):
    observation = judge(watching, NOW + 3, step=-600).observation
    assert observation["taken_at"] == watch.moment(NOW + 3 - 600 + AHEAD)
    assert observation["sites"]["ams"]["peer"]["at"] == watch.moment(NOW - 600 + AHEAD)


def saved(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_series_goes_on_without_a_second_beginning(watching, tmp_path):
    file = watch.SeriesFile(tmp_path, watching._policy)
    judged = [judge(watching, NOW + later) for later in (1, 8)]
    for one in judged:
        file.add(one)
    lines = saved(tmp_path / "observations.jsonl")
    assert lines[0] == {"policy": watching._policy, "state": {}}
    assert [line["observation"] for line in lines[1:]] == [one.observation for one in judged]


def test_a_series_that_has_grown_large_is_put_aside_and_begins_again(watching, tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "LARGEST", 1)
    file = watch.SeriesFile(tmp_path, watching._policy)
    for later in (1, 8):
        file.add(judge(watching, NOW + later))
    before, after = saved(tmp_path / "observations-1.jsonl"), saved(tmp_path / "observations.jsonl")
    state, decision = verdict.track(before[0]["state"], before[1]["observation"], before[0]["policy"])
    assert decision == before[1]["decision"]
    assert after[0] == {"policy": watching._policy, "state": state}


def test_what_a_full_disk_lost_is_followed_by_a_new_beginning(watching, tmp_path, file_size_limit):
    file = watch.SeriesFile(tmp_path, watching._policy)
    path = tmp_path / "observations.jsonl"
    file.add(judge(watching, NOW + 1))
    whole = path.read_bytes()
    lost = judge(watching, NOW + 8)
    with file_size_limit(len(whole) + 100), pytest.raises(OSError, match="space"):
        file.add(lost)
    assert path.read_bytes() == whole
    file.add(judge(watching, NOW + 15))
    assert saved(path)[2] == {"policy": watching._policy, "state": lost.state}


@pytest.fixture
def file_size_limit():
    """Return a context in which no file grows beyond so many bytes: a write comes back short, as on a full disk."""

    @contextlib.contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    return limit
