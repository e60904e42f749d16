"""From answers to signals: every rule of decision.md, "What is observed"."""

from __future__ import annotations

import copy
from datetime import datetime

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, signals
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import (
    prefers_of,
    probe_checks,
    runs_of,
    to_observation,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observer import may_be_remembered
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.runner import KINDS, missing_parameters
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from observed_world import META, World, deployed, gateway, said

OVERRIDE = {"name": "without_fence", "run_id": "run-7", "by": ["alice", "bob"], "until": "2026-01-31T04:00:00Z"}
SAID = {**OVERRIDE, "at": "2026-01-31T03:00:00Z"}


def test_all_is_well():
    world = World()
    assert set(world.values("site1").values()) == {"up"}
    assert world.values("site2") == {**dict.fromkeys(signals.RULES, "up"), "master": "down"}
    seen = world.look()
    assert seen["observer"] == {"healthy": True}
    assert seen["ticket"] == "none"
    assert seen["sites"]["site1"]["peer"] == {
        "value": "up",
        "answered": True,
        "of": [1, 1],
        "by": {"s2-cfg": {"value": "up", "detail": ""}},
        "at": META["started_at"],
    }


def test_a_dead_site_is_silent_everywhere():
    world = World().lose(1)
    assert world.values("site1") == {
        "inside": "unknown",
        "redundancy": "unknown",
        "peer": "down",
        "witness": "down",
        "gateways": "down",
        "calls": "down",
        "trunk": "unknown",
        "mgmt": "down",
        "master": "down",
        "capacity": "unknown",
    }
    seen = world.look()["sites"]["site1"]
    assert not any(seen[signal]["answered"] for signal in signals.RULES)
    assert world.values("site2")["gateways"] == "up"


def test_a_host_that_was_not_reached_never_says_down():
    world = World().silence("s1-cfg", "s2-cfg", "witness", "s1-gw", "s2-gw")
    for name in ("site1", "site2"):
        assert set(world.values(name).values()) == {"unknown"}
    assert world.look()["observer"]["healthy"] is False


def test_hosts_that_are_left_out_were_not_reached():
    world = World()
    world.probes = {}
    assert set(world.values("site1").values()) == {"unknown"}


def test_an_answer_that_is_missing_is_unknown():
    world = World()
    world.probes["s2-cfg"]["answers"] = []
    assert world.values("site1")["peer"] == "unknown"


def test_one_vantage_host_is_enough_for_a_healthy_observer_and_a_gateway_is_none():
    assert World().silence("s1-cfg", "s2-cfg").look()["observer"] == {"healthy": True}
    blind = World().silence("s1-cfg", "s2-cfg", "witness").look()["observer"]
    assert blind == {"healthy": False, "why": ["no vantage host and no witness was reached"]}


# gateways


def test_gateways_up_by_any_gateway_even_the_sites_own():
    world = World().gateway("s2-gw", site1="down", site2="up")
    assert world.values("site1")["gateways"] == "up"
    assert world.signal("site1", "gateways")["of"] == [1, 2]


def test_gateways_down():
    world = World().gateway("s1-gw", site1="down", site2="up").gateway("s2-gw", site1="down", site2="up")
    assert world.values("site1")["gateways"] == "down"


def test_a_target_taken_out_of_the_dispatcher_is_judged_by_what_its_gateway_still_hears():
    world = World()
    for host in ("s1-gw", "s2-gw"):
        world.probes[host]["answers"][0]["targets"]["site1"].update(state="AX", priority=0)
    assert world.values("site1")["gateways"] == "up"


def test_all_gateways_in_the_dead_site():
    world = World(gateways={"s1-gw": "site1", "s1-gw2": "site1"}).silence("s1-cfg", "s1-gw", "s1-gw2")
    assert world.values("site1")["gateways"] == world.values("site2")["gateways"] == "unknown"


def test_only_the_sites_own_gateways_never_make_down():
    world = World(gateways={"s1-gw": "site1"})
    world.gateway("s1-gw", site1="down", site2="down")
    assert world.values("site1")["gateways"] == "unknown"
    assert world.values("site2")["gateways"] == "down"


def test_a_gateway_on_which_no_module_runs_is_asked_itself_and_its_host_is_not():
    continuity = deployed()
    for data, elsewhere in (({"driver": "cisco_cube"}, True), ({"managed_from": "elsewhere"}, True), ({}, False)):
        continuity["continuity_gateways"]["s1-gw"] = {**gateway("site1"), **data}
        check = next(one for one in probe_checks(continuity, "s1-gw") if one["kind"] == "gateway")
        assert check.get("elsewhere", False) is elsewhere


def test_where_new_calls_go_is_told_by_every_gateway_that_was_reached():
    answers = [{"kind": "call"}, {"kind": "gateway", "prefers": "site1"}]
    seen = {"s1-gw": {"reached": True, "answers": answers}, "s2-gw": {"answers": answers}}
    mute = {"x-gw": {"reached": True, "answers": [{"kind": "gateway", "prefers": None}]}}
    assert prefers_of({**seen, **mute}) == {"s1-gw": "site1"}


def test_a_silent_gateway_spares_the_site():
    world = World(gateways={"s1-gw": "site1", "s2-gw": "site2", "s2-gw2": "site2"})
    world.gateway("s1-gw", site1="down", site2="up").gateway("s2-gw", site1="down", site2="up").silence("s2-gw2")
    assert world.values("site1")["gateways"] == "unknown"


def test_a_gateway_that_cannot_be_read_is_silent():
    world = World().gateway("s2-gw", site1="down", site2="up").unreadable("s1-gw")
    assert world.values("site1")["gateways"] == "unknown"


def test_a_silent_gateway_inside_the_dead_site_spares_nothing():
    assert World().lose(1).values("site1")["gateways"] == "down"


def test_a_silent_gateway_of_a_site_that_anybody_hears_spares_it():
    world = World().lose(1).answer("s2-cfg", "mgmt:site1:ssh", "up")
    assert world.values("site1")["gateways"] == "unknown"


@pytest.mark.parametrize("what", ["s2-gw2", "site2"])
def test_a_silent_gateway_in_declared_downtime_spares_nothing(what):
    world = World(gateways={"s1-gw": "site1", "s2-gw": "site2", "s2-gw2": "site2"})
    world.gateway("s1-gw", site1="down", site2="up").gateway("s2-gw", site1="down", site2="up").silence("s2-gw2")
    world.downtime(what)
    assert world.values("site1")["gateways"] == "down"
    assert world.look()["sites"]["site2"]["downtime"] is (what == "site2")


def test_a_silent_gateway_whose_host_hears_the_site_is_a_sign_of_life():
    world = World().gateway("s2-gw", site1="down", site2="up").unreadable("s1-gw", options="up")
    signal = world.signal("site1", "gateways")
    assert (signal["value"], signal["answered"]) == ("unknown", True)


def test_a_503_is_down_but_answered():
    world = World().gateway("s1-gw", site1="down", site2="up").gateway("s2-gw", site1="down", site2="up")
    world.probes["s2-gw"]["answers"][0]["targets"]["site1"]["answered"] = True
    signal = world.signal("site1", "gateways")
    assert (signal["value"], signal["answered"]) == ("down", True)


# peer, witness


def test_peer_up_by_any_of_two_reporters():
    world = World(vantage2=["s2-cfg", "s2-x"]).answer("s2-x", "peer:site1", "down")
    assert world.values("site1")["peer"] == "up"
    assert world.signal("site1", "peer")["of"] == [1, 1]


def test_peer_one_reporter_of_two_is_enough_for_down():
    world = World(vantage2=["s2-cfg", "s2-x"]).silence("s2-x").answer("s2-cfg", "peer:site1", "down")
    signal = world.signal("site1", "peer")
    assert (signal["value"], signal["of"]) == ("down", [0, 1])
    assert signal["by"]["s2-x"] == {"value": "unknown", "detail": "no answer from this host"}


def test_peer_503():
    signal = World().answer("s2-cfg", "peer:site1", "down", True).signal("site1", "peer")
    assert (signal["value"], signal["answered"]) == ("down", True)


def test_peer_is_what_the_other_site_sees():
    world = World().answer("s1-cfg", "peer:site2", "down")
    assert world.values("site1")["peer"] == "up"
    assert world.values("site2")["peer"] == "down"


def test_no_witness():
    world = World(witness="none")
    assert world.signal("site1", "witness") == {
        "value": "unknown", "answered": False, "of": [0, 0], "by": {}, "at": META["started_at"],
    }  # fmt: skip


# inside


def stack_dead():
    world = World().gateway("s1-gw", site1="down", site2="up").answer("s1-cfg", "inside:site1:sip", "down")
    return world.answer("s1-cfg", "inside:site1:page", "down", True, run_mode="unknown")


def test_inside_down_when_a_host_inside_answers_and_no_server_runs_as_primary():
    signal = stack_dead().signal("site1", "inside")
    assert (signal["value"], signal["answered"], signal["of"]) == ("down", True, [0, 1])


def test_inside_a_page_that_names_a_primary_forbids_down():
    world = stack_dead().answer("s1-cfg", "inside:site1:page:s1-sip-b", "up", run_mode="primary")
    assert world.values("site1")["inside"] == "unknown"


def test_inside_a_backup_that_has_a_page_is_no_primary():
    world = stack_dead().answer("s1-cfg", "inside:site1:page:s1-sip-b", "up", run_mode="backup")
    assert world.values("site1")["inside"] == "down"


def test_inside_up_by_the_answer_alone_when_the_page_is_shut():
    world = World().answer("s1-cfg", "inside:site1:page", "down", True, run_mode="unknown")
    assert world.values("site1")["inside"] == "up"


def test_inside_a_gateway_of_the_site_is_a_host_inside():
    world = stack_dead().silence("s1-cfg")
    signal = world.signal("site1", "inside")
    assert (signal["value"], signal["answered"]) == ("down", True)


def test_inside_unknown_when_no_host_inside_was_reached():
    signal = stack_dead().silence("s1-cfg", "s1-gw").signal("site1", "inside")
    assert (signal["value"], signal["answered"]) == ("unknown", False)


def test_inside_a_question_that_could_not_be_asked_is_no_down():
    world = World().silence("s1-gw").answer("s1-cfg", "inside:site1:sip", "unknown", False)
    world.answer("s1-cfg", "inside:site1:page", "unknown", False, run_mode="unknown")
    assert world.values("site1")["inside"] == "unknown"


# redundancy


@pytest.mark.parametrize(
    ("check", "part"),
    [
        ("inside:site1:page:s1-sip-b", "s1-sip-b"),
        ("redundancy:site1:lca:s1-sip-a", "lca:s1-sip-a"),
        ("redundancy:site1:lca:s1-cfg", "lca:s1-cfg"),
        ("redundancy:site1:proxy", "proxy"),
    ],
)
def test_redundancy_a_lost_part(check, part):
    signal = World().answer("s1-cfg", check, "down", True, run_mode="unknown").signal("site1", "redundancy")
    assert signal["value"] == "down"
    assert signal["by"][part]["value"] == "down"
    assert signal["of"] == [6, 7]


def test_redundancy_two_primaries():
    world = World().answer("s1-cfg", "inside:site1:page:s1-sip-b", "up", run_mode="primary")
    assert "both run as primary" in world.signal("site1", "redundancy")["by"]["HA pair"]["detail"]
    assert world.values("site1")["redundancy"] == "down"


def test_redundancy_a_part_that_any_host_inside_reaches_is_there():
    world = World(vantage1=["s1-cfg", "s1-x"]).answer("s1-x", "redundancy:site1:proxy", "down", True)
    assert world.values("site1")["redundancy"] == "up"


def test_redundancy_a_gateway_that_reaches_no_site():
    signal = World().gateway("s1-gw", site1="down", site2="down").signal("site1", "redundancy")
    assert signal["value"] == "down"
    assert signal["by"]["s1-gw"]["detail"].startswith("GATEWAY_FAULT: reaches no site")


def test_redundancy_a_silent_gateway():
    for world in (World().silence("s1-gw"), World().unreadable("s1-gw")):
        signal = world.signal("site1", "redundancy")
        assert signal["value"] == "down"
        assert signal["by"]["s1-gw"]["detail"].startswith("GATEWAY_FAULT: silent")
        assert world.values("site2")["redundancy"] == "up"


def test_redundancy_a_silent_gateway_in_declared_downtime():
    world = World().silence("s1-gw")
    world.downtime("s1-gw")
    assert world.values("site1")["redundancy"] == "up"


def with_scs(port=7070):
    world = World()
    for number in (1, 2):
        world.continuity["continuity_sites"][f"site{number}"]["configuration"]["scs_port"] = port
        check = {"id": f"redundancy:site{number}:scs", "kind": "tcp", "signal": "redundancy", "about": f"site{number}"}
        world.probes[f"s{number}-cfg"]["answers"].append({**said("up" if number == 1 else "down"), **check})
    return world


def test_redundancy_the_solution_control_server_of_the_dormant_site_sleeps():
    world = with_scs()
    assert world.values("site1")["redundancy"] == world.values("site2")["redundancy"] == "up"
    assert "scs" not in world.signal("site2", "redundancy")["by"]


def test_redundancy_the_solution_control_server_beside_the_master_is_lost():
    signal = with_scs().answer("s1-cfg", "redundancy:site1:scs", "down", True).signal("site1", "redundancy")
    assert (signal["value"], signal["by"]["scs"]["value"]) == ("down", "down")


def test_redundancy_stat_server_where_it_is_named():
    world = World()
    world.continuity["continuity_sites"]["site1"]["stat_server"] = {"address": "10.71.1.40", "port": 2060}
    (check,) = [one for one in probe_checks(world.continuity, "s1-cfg") if one["id"] == "redundancy:site1:stat server"]
    assert (check["address"], check["port"]) == ("10.71.1.40", 2060)
    world.probes["s1-cfg"]["answers"].append({**said("down", True), "id": check["id"]})
    assert world.values("site1")["redundancy"] == "down"


def test_redundancy_is_unknown_without_a_host_inside():
    assert World().silence("s1-gw", "s1-cfg").values("site1")["redundancy"] == "unknown"


# trunk


def test_trunk_is_the_word_of_the_primary_leg():
    world = World().answer("s1-cfg", "trunk:site1:s1-sip-a", "down", True)
    assert world.values("site1")["trunk"] == "down"
    world = World().answer("s1-cfg", "trunk:site1:s1-sip-b", "down", True)
    assert world.values("site1")["trunk"] == "up"


def test_trunk_when_nobody_knows_the_primary():
    world = World().answer("s1-cfg", "inside:site1:page", "up", run_mode="unknown")
    world.answer("s1-cfg", "trunk:site1:s1-sip-a", "unknown", False)
    assert world.values("site1")["trunk"] == "up"


def test_trunk_without_oos_check_is_unknown():
    world = World()
    world.continuity["continuity_sites"]["site1"]["sip_server"]["trunk"]["oos_check"] = 0
    assert world.values("site1")["trunk"] == "unknown"
    asked = [one["kind"] for one in probe_checks(world.continuity, "s1-cfg") if one["signal"] == "trunk"]
    assert asked == ["trunk"]  # our own look, which does not vote


# mgmt, master


def test_mgmt_any_way_in_is_up():
    world = World().answer("s2-cfg", "mgmt:site1:lca", "down").answer("s2-cfg", "mgmt:site1:ssh", "down")
    assert world.values("site1")["mgmt"] == "down"
    assert world.answer("s2-cfg", "mgmt:site1:lca:s1-sip-b", "up").values("site1")["mgmt"] == "up"


def test_mgmt_a_refusal_is_down_but_answered():
    signal = World().answer("s2-cfg", "mgmt:site1", "down", True).signal("site1", "mgmt")
    assert (signal["value"], signal["answered"]) == ("down", True)


def spoil_master(**words):
    """s1-cfg, s2-cfg and witness say these of site1's master; `!` behind a word: something answered."""
    world = World()
    for host, word in words.items():
        world.answer(host.replace("_", "-"), "master:site1", word.rstrip("!"), word.endswith("!"))
    return world.signal("site1", "master")


@pytest.mark.parametrize(
    ("inside", "peer", "witness", "value", "answered"),
    [
        ("up!", "down", "down", "up", True),
        ("down!", "down", "down", "down", True),
        ("down", "down", "down", "down", False),
        ("unknown", "down", "unknown", "down", False),  # one live vantage point that met silence
        ("unknown", "unknown", "unknown", "unknown", False),
        ("unknown!", "down", "down", "unknown", True),  # the port stands open, its database could not be asked
        ("down!", "unknown!", "unknown!", "down", True),  # one of them could ask it: read-only
    ],
)
def test_master(inside, peer, witness, value, answered):
    signal = spoil_master(s1_cfg=inside, s2_cfg=peer, witness=witness)
    assert (signal["value"], signal["answered"]) == (value, answered)


# database


def test_database_the_standbys_lag_is_what_its_primary_measured():
    seen = World().look()["sites"]
    assert seen["site1"]["database"] == {"role": "primary", "lag": None}
    assert seen["site2"]["database"] == {"role": "standby", "lag": 512}


def test_database_lag_of_a_dead_primary_is_unknown():
    assert World().lose(1).look()["sites"]["site2"]["database"] == {"role": "standby", "lag": None}


def test_database_nobody_streams():
    world = World().answer("s1-cfg", "database:site1", "up", role="primary", lag=None)
    assert world.look()["sites"]["site2"]["database"]["lag"] is None


def test_database_not_asked():
    assert World().silence("s1-cfg").look()["sites"]["site1"]["database"] == {"role": "unknown", "lag": None}


# what comes from the store


def test_store():
    world = World()
    world.meta.update(
        events=[{"type": "let_in"}],
        overrides=[SAID, {**SAID, "run_id": "over", "until": "2026-01-31T03:14:14Z"}],
        isolated={"site1": "drain"},
        attestations={"site2": {"by": ["a", "b"], "until": "x"}},
        fences={"site2": {"kind": "power_off"}},
    )
    seen = world.look()
    assert (seen["events"], seen["overrides"]) == ([{"type": "let_in"}], [OVERRIDE])
    assert [seen["sites"][name]["isolated"] for name in ("site1", "site2")] == ["drain", None]
    assert seen["sites"]["site2"]["attested_down"] == {"by": ["a", "b"], "until": "x"}
    assert seen["sites"]["site2"]["fence"] == {"kind": "power_off"}
    assert seen["sites"]["site1"]["fence"] is None and seen["sites"]["site1"]["attested_down"] is None


def test_an_override_that_cannot_be_read_is_told_about():
    world = World()
    world.meta["overrides"] = [{**SAID, "name": "anything"}, SAID]
    seen = world.look()
    assert seen["overrides"] == [OVERRIDE]
    assert any("The override anything of" in note for note in seen["observer"]["notes"])


def held(sync: bool = True) -> dict:
    seed = tickets.first("site1", ["s1-cfg"])
    return tickets.renewed(tickets.acquired(seed, "site1", "s1-cfg", ["s1-cfg"], True), "s1-cfg", True, sync)


def with_ticket(ticket):
    world = World()
    world.continuity["continuity_coordination"]["driver"] = "etcd"
    world.meta["ticket"] = ticket
    return world


def test_ticket_of_a_ticket_system():
    assert "ticket" not in with_ticket(None).look()
    assert with_ticket(held()).look()["ticket"] == tickets.observed(held())


def test_a_ticket_of_strangers_says_nothing_and_is_told_about():
    seen = with_ticket({**held(), "holder": "site9"}).look()
    assert "ticket" not in seen
    assert "The ticket names site9, which is no site here: nothing is concluded from it." in seen["observer"]["notes"]
    assert decide(seen)["verdict"]


@pytest.mark.parametrize(
    ("ticket", "lag"),
    [
        (held(), 0),
        (held(sync=False), None),
        (tickets.revoked(held(), "site1", None), 0),
        (None, None),
        ({**held(), "holder": "site2"}, None),
    ],
)
def test_nothing_is_missing_at_a_standby_that_commits_waited_for(ticket, lag):
    """A dead primary measures nothing; what its ticket recorded stands."""
    world = with_ticket(ticket)
    world.lose(1)
    assert world.look()["sites"]["site2"]["database"] == {"role": "standby", "lag": lag}


def test_a_primary_that_answers_is_believed_whatever_the_ticket_says():
    seen = with_ticket(held()).look()["sites"]
    assert seen["site2"]["database"]["lag"] == World().look()["sites"]["site2"]["database"]["lag"] is not None
    assert seen["site1"]["database"]["lag"] is None


# the checks


def test_checks_are_complete_and_named_once():
    continuity = deployed()
    for host in deployment.observers(continuity):
        checks = probe_checks(continuity, host)
        assert checks
        assert not [problem for check in checks for problem in missing_parameters(check)]
        assert len({check["id"] for check in checks}) == len(checks)
        assert {check["kind"] for check in checks} <= set(KINDS)
        assert {check["signal"] for check in checks} <= {*signals.RULES, "database", "coordination"}


def test_a_host_that_is_no_vantage_point_has_nothing_to_look_at():
    assert probe_checks(deployed(), "s1-sip-a") == []


def test_who_looks_at_what():
    def looked(host):
        return {(check["signal"], check["about"]) for check in probe_checks(deployed(), host)}

    inside = {(signal, "site1") for signal in ("inside", "redundancy", "trunk", "master", "database", "capacity")}
    inside.add(("coordination", None))
    assert looked("s1-cfg") == inside | {(signal, "site2") for signal in ("peer", "mgmt", "master")}
    assert looked("witness") == {(signal, name) for signal in ("witness", "master") for name in ("site1", "site2")}
    assert looked("s2-gw") == {("gateways", "site2"), ("calls", "site1"), ("calls", "site2")}


def test_a_backup_leg_is_never_asked_by_sip():
    asked = [check for check in probe_checks(deployed(), "s1-cfg") if check["kind"] == "sip_options"]
    assert {check["address"] for check in asked} == {"10.71.1.100", "10.71.2.100"}


def test_the_certificates_name_goes_with_every_look_at_a_site():
    continuity = deployed()
    tls = {"transport": "tls", "port": 5061, "server_name": "sip.site2.example.net"}
    continuity["continuity_sites"]["site2"]["sip_server"].update(tls)
    looks = [check for host in ("s1-cfg", "s2-cfg", "witness") for check in probe_checks(continuity, host)]
    asked = [check for check in looks if check.get("address") == "10.71.2.100"]
    assert {check["id"] for check in asked} == {
        "peer:site2:sip",
        "trunk:site1:own",
        "inside:site2:sip",
        "witness:site2:sip",
    }
    assert all(tls.items() <= check.items() for check in asked)
    sites = probe_checks(continuity, "s1-gw")[0]["sites"]
    assert sites["site2"] == {"address": "10.71.2.100", **tls}
    assert "server_name" not in sites["site1"]


# properties


def swap(data):
    """The same data with the sites' names and hosts exchanged."""
    if isinstance(data, dict):
        return {swap(key): swap(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [swap(value) for value in data]
    if isinstance(data, str):
        for one, two in (("site1", "site2"), ("s1-", "s2-"), ("10.71.1.", "10.71.2.")):
            data = data.replace(one, "\0").replace(two, one).replace("\0", two)
    return data


@pytest.mark.parametrize("world", [World(), World().lose(1), World().lose(2), stack_dead()])
def test_symmetric(world):
    swapped = to_observation(swap(world.continuity), swap(world.probes), world.meta)
    assert swapped["sites"] == swap(world.look()["sites"])


@pytest.mark.parametrize("host", ["s1-cfg", "s2-cfg", "witness", "s1-gw", "s2-gw"])
@pytest.mark.parametrize("lost", [1, 2])
def test_losing_a_reporter_never_turns_a_signal_down(host, lost):
    world = World().lose(lost)
    before = {name: world.values(name) for name in ("site1", "site2")}
    world.silence(host)
    for name, values in before.items():
        for signal, value in world.values(name).items():
            # Which gateway or part is lost is what redundancy is about.
            assert signal == "redundancy" or value in (values[signal], "unknown") or value == "down" == values[signal]


def test_pure():
    world = World().lose(1)
    before = copy.deepcopy((world.continuity, world.probes, world.meta))
    assert world.look() == world.look()
    assert (world.continuity, world.probes, world.meta) == before


def aged(observation):
    return observation["taken_at"], {site["peer"]["at"] for site in observation["sites"].values()}


@pytest.mark.parametrize("not_before", [None, "", "2026-01-31T03:14:15Z", "2026-01-31T03:00:00Z"])
def test_a_clock_that_is_not_behind_is_believed(not_before):
    world = World()
    world.meta["not_before"] = not_before
    assert aged(world.look()) == (META["taken_at"], {META["started_at"]})


def test_a_clock_a_little_behind_goes_on_from_the_last_observation_and_answers_keep_their_age():
    world = World()
    world.meta["not_before"] = "2026-01-31T03:14:20Z"
    assert aged(world.look()) == ("2026-01-31T03:14:20Z", {"2026-01-31T03:14:08Z"})
    assert world.look()["observer"] == {"healthy": True}
    assert world.meta["taken_at"] == META["taken_at"]


def test_a_clock_far_behind_is_right_where_the_hosts_agree_with_it():
    world = World()
    world.meta["not_before"] = "2026-01-31T04:14:20.500000Z"
    assert aged(world.look()) == (META["taken_at"], {META["started_at"]})
    (note,) = world.look()["observer"]["notes"]
    assert note.startswith("The last observation was dated 3606 s ahead")


def test_a_clock_far_behind_is_wrong_where_the_hosts_say_so():
    world = World()
    world.meta["not_before"] = "2026-01-31T04:14:20.500000Z"
    for probe in world.probes.values():
        probe.update(clock=datetime.fromisoformat("2026-01-31T04:14:25+00:00").timestamp(), elapsed=2.0)
    seen = world.look()
    assert aged(seen) == ("2026-01-31T04:14:20.500000Z", {"2026-01-31T04:14:08.500000Z"})
    assert not may_be_remembered(seen)


@pytest.mark.parametrize(("read", "store"), [(None, None), (True, None), (False, "unread")])
def test_a_store_that_nobody_read_is_told(read, store):
    world = World()
    world.meta.update({} if read is None else {"store_read": read})
    assert world.look()["observer"].get("store") == store


def test_runs_of_the_hosts_that_were_reached():
    record = {"id": "r7", "step": "fence", "event": "end"}
    probes = {
        "s1-cfg": {"reached": True, "run": {"token": 6, "journal": []}},
        "s2-cfg": {"reached": True, "run": {"token": 7, "journal": [record, record]}},
        "phones": {"reached": True, "run": {"token": 0, "journal": [dict(record, host="as it calls itself")]}},
        "s1-gw": {"unreachable": True, "msg": "timed out"},
    }
    found = runs_of(probes)
    assert found["token"] == 7
    assert [one["host"] for one in found["journal"]] == ["s2-cfg", "s2-cfg", "phones"]
    assert found["journal"][0] == {**record, "host": "s2-cfg"}
    assert "host" not in record


@pytest.mark.parametrize("probes", [{}, {"s1-cfg": {"unreachable": True}}, {"s1-cfg": {"reached": False}}])
def test_runs_of_nobody(probes):
    assert runs_of(probes) == {"token": 0, "journal": []}
