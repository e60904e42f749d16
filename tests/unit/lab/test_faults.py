# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as data and the store of those in force."""

from __future__ import annotations

from two_site_lab.faults import Fault, FaultStore
from two_site_lab.injection import turns


def test_numbers_are_never_used_twice(tmp_path):
    store = FaultStore(tmp_path)
    first = store.add(Fault("cut", "site1", 1.0, 2.0, "site2"))
    store.remove(first)
    assert store.add(Fault("power", "s1-cfg", 3.0)).number == first.number + 1


def test_what_was_added_is_read_back_oldest_first(tmp_path):
    store = FaultStore(tmp_path)
    added = [store.add(Fault("power", f"host{n}", float(n))) for n in range(11)]
    assert FaultStore(tmp_path).all() == added


def test_ports_are_read_back_as_they_were(tmp_path):
    added = FaultStore(tmp_path).add(Fault("cut", "a", 0.0, 1.0, "b", ports=(22, 4999)))
    assert FaultStore(tmp_path).all() == [added]


def test_a_flapping_link_is_cut_and_whole_in_turn():
    fault = Fault("flap", "a", 100.0, 160.0, "b", down=4, up=6)
    assert [second for second in range(100, 120) if fault.bites(second)] == [100, 101, 102, 103, 110, 111, 112, 113]
    assert Fault("cut", "a", 100.0, 160.0, "b").bites(1e9)


def test_remove_where_returns_what_it_struck_out(tmp_path):
    store = FaultStore(tmp_path)
    kept = store.add(Fault("power", "a", 0.0))
    gone = store.add(Fault("fill", "b", 0.0, 9.0))
    assert store.remove_where(lambda fault: fault.kind == "fill") == [gone]
    assert store.all() == [kept]


def test_expiry():
    fault = Fault("cut", "site1", 100.0, 160.0, "site2")
    assert not fault.expired(159.9)
    assert fault.expired(160.0)
    assert not Fault("power", "s1-cfg", 0.0).expired(1e12)


def test_words():
    assert Fault("cut", "a", 0, 1, "b", ports=(22,)).words() == "a <-> b cut, port 22 only"
    assert Fault("cut", "a", 0, 1, "b", ports=(22, 4999)).words() == "a <-> b cut, port 22 and 4999 only"
    assert Fault("flap", "a", 0, 1, "b", down=4.0, up=2.5).words() == "a <-> b 4 s cut, 2.5 s whole in turn"
    assert Fault("loss", "a", 0, 1, "b", percent=2.5).words() == "a <-> b 2.5 % loss"
    assert Fault("cut", "a", 0, 1, "b", new_flows=True).words() == "a -> b cut, new flows only"
    assert Fault("loss", "a", 0, 1, "b", percent=5.0).words() == "a <-> b 5 % loss"
    assert Fault("freeze", "h", 0, 1, unit="u").words() == "u on h frozen"
    assert Fault("kill", "h", 0, 1, unit="u").words() == "u on h killed"
    assert Fault("pause", "h", 0, 1).words() == "h is frozen, all of it"
    assert Fault("power", "h", 0).words() == "h is off"


def test_turns_tell_which_flapping_links_are_cut():
    flapping = [Fault("flap", "a", 0.0, 60.0, "b", down=2, up=3, number=number) for number in (4, 7)]
    later = Fault("flap", "a", 2.0, 60.0, "b", down=2, up=3, number=9)
    assert turns([*flapping, later, Fault("cut", "a", 0.0, 60.0, "b", number=5)], 3.0) == {4: False, 7: False, 9: True}
