"""Our own look along the trunk, against a real UDP peer: oos-force is the measure, not the policy's deadline."""

from __future__ import annotations

import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import trunk
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from sip_doubles import mute, ok, reply, udp_peer

FAST = Settings(sip_t1=0.02, probe_deadline=0.8)


def look(manners, oos_force, settings=FAST):
    with udp_peer(manners) as peer:
        started = time.monotonic()
        check = {"address": "127.0.0.1", "port": peer.port, "transport": "udp", "oos_force": oos_force}
        found = trunk.look(check, settings)
        return found, time.monotonic() - started, len(peer.received)


def test_an_answer_is_in_service():
    found, took, received = look(ok, 0.3)
    assert (found["value"], found["answered"], received) == ("up", True, 1)
    assert found["rtt"] <= took < 0.3


def test_silence_for_the_whole_of_oos_force_is_out_of_service():
    found, took, received = look(mute, 0.3)
    assert (found["value"], found["answered"], found["rtt"]) == ("down", False, None)
    assert 0.3 <= took < 0.6
    assert 4 <= received <= 5  # at 0, 0.02, 0.06, 0.14 and 0.30
    assert found["detail"].endswith("sendings in 0.3 s")


def test_silence_shorter_than_oos_force_is_not_yet_out_of_service():
    found, took, _received = look(mute, 5)
    assert (found["value"], found["answered"]) == ("unknown", False)
    assert took < 1.1
    assert found["detail"].endswith("in 0.8 s, of oos-force 5 s")


def test_without_oos_force_the_policys_deadline_is_the_measure():
    found, took, _received = look(mute, 0)
    assert (found["value"], 0.8 <= took < 1.1) == ("down", True)


def test_lost_packets_are_sent_again():
    found, _took, received = look(lambda request, count: [(0, reply(request))] if count == 4 else [], 0.5)
    assert (found["value"], found["sent"], received) == ("up", 4, 4)


def test_slow_is_not_out_of_service():
    found, _took, _received = look(lambda request, count: [(0.2, reply(request))] if count == 1 else [], 0.5)
    assert (found["value"], found["rtt"] > 0.15) == ("up", True)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "505 Version Not Supported"])
def test_503_and_505_are_out_of_service_at_once_but_an_answer(status):
    found, took, _received = look(lambda request, _count: [(0, reply(request, status))], 0.5)
    assert (found["value"], found["answered"], took < 0.5) == ("down", True, True)
