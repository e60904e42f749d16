# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as data and the store of those in force."""

from __future__ import annotations

from two_site_lab.faults import Fault, FaultStore


def test_numbers_are_never_used_twice(tmp_path):
    store = FaultStore(tmp_path)
    first = store.add(Fault("cut", "site1", 1.0, 2.0, "site2"))
    store.remove(first)
    assert store.add(Fault("power", "s1-cfg", 3.0)).number == first.number + 1


def test_what_was_added_is_read_back_oldest_first(tmp_path):
    store = FaultStore(tmp_path)
    added = [store.add(Fault("power", f"host{n}", float(n))) for n in range(11)]
    assert FaultStore(tmp_path).all() == added


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
    assert Fault("cut", "a", 0, 1, "b", port=22).words() == "a <-> b cut, port 22 only"
    assert Fault("cut", "a", 0, 1, "b", new_flows=True).words() == "a -> b cut, new flows only"
    assert Fault("loss", "a", 0, 1, "b", percent=5.0).words() == "a <-> b 5 % loss"
    assert Fault("freeze", "h", 0, 1, unit="u").words() == "u on h frozen"
    assert Fault("kill", "h", 0, 1, unit="u").words() == "u on h killed"
    assert Fault("power", "h", 0).words() == "h is off"
