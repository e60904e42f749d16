"""The inter-site trunk: whose word counts, and the two reporters side by side, in both directions."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.filter.trunk_matrix import FilterModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import trunks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports

SERVER = {
    "legs": {"a": {"address": "192.0.2.11"}, "b": {"address": "192.0.2.12"}},
    "monitoring_port": 8080,
    "trunk": {"dn": "trunk_site2", "oos_check": 1, "oos_force": 2},
}
PEER = {"address": "198.51.100.1", "port": 5060, "transport": "udp"}
WORDS = (trunks.IN_SERVICE, trunks.OUT_OF_SERVICE, trunks.UNKNOWN)


def seen(own="up", modes=("primary", "backup"), **pages):
    """What one host brought: the pages of both legs, and our own look."""
    run_modes = dict(zip("ab", modes))
    found = []
    for check in [*trunks.page_checks("site1", SERVER), trunks.own_check("site1", SERVER, PEER)]:
        value = own if check["kind"] == "trunk" else pages.get(check["part"], "up") if "dn" in check else "up"
        answer = {"value": value, "answered": value == "up", "run_mode": run_modes.get(check["part"])}
        found.append(Report("s1-cfg", check, answer))
    return Reports(tuple(found), frozenset({"s1-cfg"}))


def test_checks():
    checks = [*trunks.page_checks("site1", SERVER), trunks.own_check("site1", SERVER, PEER)]
    assert [one["id"] for one in checks] == [
        "inside:site1:page:a",
        "trunk:site1:a",
        "inside:site1:page:b",
        "trunk:site1:b",
        "trunk:site1:own",
    ]
    assert (checks[-1]["address"], checks[-1]["oos_force"], checks[1]["dn"]) == ("198.51.100.1", 2, "trunk_site2")


def test_without_oos_check_no_page_is_asked_about_the_trunk():
    server = {**SERVER, "trunk": {**SERVER["trunk"], "oos_check": 0}}
    assert [one["signal"] for one in trunks.page_checks("site1", server)] == ["inside", "inside"]
    assert trunks.own_check("site1", server, PEER)["signal"] == "trunk"


def test_the_primary_legs_word_counts():
    reports = seen(a="down", b="up")
    assert [one.check["part"] for one in trunks.voters(reports, "site1")] == ["a"]
    assert trunks.direction(reports, "site1", "site2")["monitoring"] == trunks.OUT_OF_SERVICE


@pytest.mark.parametrize("unread", ["unknown", None])
def test_a_leg_known_as_the_backup_has_no_word(unread):
    reports = seen(a="unknown", b="up", modes=(unread, "backup"))
    assert [one.check["part"] for one in trunks.voters(reports, "site1")] == ["a"]
    assert trunks.said(reports, "site1") == "unknown"
    assert trunks.said(seen(a="down", b="up", modes=(unread, "backup")), "site1") == "down"
    assert trunks.said(seen(modes=("backup", "backup")), "site1") == "unknown"


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [("down", "up", "unknown"), ("up", "up", "up"), ("down", "down", "down"), ("up", "unknown", "up")],
)
def test_legs_either_of_which_may_be_the_primary_must_not_differ(a, b, word):
    reports = seen(a=a, b=b, modes=("unknown", None))
    assert len(trunks.voters(reports, "site1")) == 2
    assert trunks.said(reports, "site1") == word
    assert trunks.direction(reports, "site1", "site2")["monitoring"] == trunks.STATES[word]


def test_two_hosts_that_read_the_primary_at_different_times():
    first = seen(a="up")
    second = tuple(Report("s1-x", one.check, one.answer) for one in seen(a="down").all)
    assert trunks.said(Reports((*first.all, *second), frozenset({"s1-cfg", "s1-x"})), "site1") == "up"


@pytest.mark.parametrize(("own", "page"), list(itertools.product(trunks.STATES, repeat=2)))
def test_our_own_look_never_votes(own, page):
    found = trunks.direction(seen(own=own, a=page), "site1", "site2")
    assert (found["monitoring"], found["probe"]) == (trunks.STATES[page], trunks.STATES[own])


def test_nobody_looked():
    nothing = trunks.direction(Reports((), frozenset()), "site1", "site2")
    assert (nothing["monitoring"], nothing["probe"], nothing["agree"]) == (trunks.UNKNOWN, trunks.UNKNOWN, None)


@pytest.mark.parametrize(("monitoring", "probe"), list(itertools.product(WORDS, repeat=2)))
def test_agreement_and_its_sentence(monitoring, probe):
    found = trunks.view("site1", "site2", monitoring, probe)
    assert found["agree"] is (None if trunks.UNKNOWN in (monitoring, probe) else monitoring == probe)
    assert found["detail"].startswith("site1→site2: SIP Server")
    assert (", but our own OPTIONS" in found["detail"]) is (found["agree"] is False)


def test_sentences():
    said = [trunks.view("a", "b", *words)["detail"] for words in (WORDS[:2], WORDS[1::-1], (WORDS[2], WORDS[0]))]
    assert said == [
        "a→b: SIP Server says in service, but our own OPTIONS is not answered",
        "a→b: SIP Server says out of service, but our own OPTIONS is answered",
        "a→b: SIP Server's word is not known, our own OPTIONS is answered",
    ]


def test_only_differences_are_noted_and_other_notes_stay():
    agreed = {"trunk": trunks.view("a", "b", *WORDS[:1] * 2)}
    differing = {"trunk": trunks.view("b", "a", *WORDS[:2])}
    unknown = {"trunk": trunks.view("b", "a", *WORDS[1:])}
    well = {"healthy": True, "notes": ["One view, not two."]}
    assert trunks.with_differences(well, {"a": agreed, "b": unknown}) == well
    noted = trunks.with_differences(well, {"a": agreed, "b": differing})
    assert noted["notes"] == ["One view, not two.", f"{differing['trunk']['detail']}."]
    assert trunks.with_differences({"healthy": True}, {"a": differing, "b": agreed})["notes"] == noted["notes"][1:]


def test_matrix_of_both_directions():
    well = {"monitoring": trunks.IN_SERVICE, "probe": trunks.IN_SERVICE, "rtt": 0.001}
    found = trunks.matrix({"site1": well, "site2": {}})
    assert found["site1"]["agree"] is True
    assert (found["site2"]["monitoring"], found["site2"]["probe"]) == (trunks.UNKNOWN, trunks.UNKNOWN)
    assert [one["detail"][:12] for one in found.values()] == ["site1→site2:", "site2→site1:"]


@pytest.mark.parametrize("words", list(itertools.product(WORDS, repeat=4)))
def test_the_matrix_swaps_with_its_sites(words):
    first, second = ({"monitoring": one, "probe": other} for one, other in (words[:2], words[2:]))
    assert trunks.matrix({"a": first, "b": second}) == trunks.matrix({"b": second, "a": first})


def test_a_matrix_has_two_ends_and_known_words():
    filtered = FilterModule().filters()["trunk_matrix"]
    assert filtered({"a": {}, "b": {}}) == trunks.matrix({"a": {}, "b": {}})
    for wrong in ({"a": {}}, {"a": {}, "b": {"probe": "perhaps"}}):
        with pytest.raises(ValueError, match="two ends|probe: perhaps"):
            trunks.matrix(wrong)
        with pytest.raises(Exception, match="trunk_matrix: "):
            filtered(wrong)
