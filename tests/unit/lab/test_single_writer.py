# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker of the single writer: what it passes, and above all that it can fail."""

from __future__ import annotations

import threading

import pytest
from two_site_lab import truth_writers
from two_site_lab.single_writer import Database, Evidence, judge
from two_site_lab.truth_configuration_writer import Writers


def began(site, term, second):
    return {"site": site, "term": term, "event": "began", "at": f"2026-01-31T03:00:{second:02d}+00:00"}


def accepted(site, term, seq, second, late=0):
    at, done = (f"2026-01-31T03:00:{second + more:02d}+00:00" for more in (0, late))
    return {"site": site, "term": term, "seq": seq, "at": at, "accepted": done}


def outcome(number, ended, said="accepted", site="site1"):
    return {"number": number, "site": site, "begun": ended - 0.1, "ended": ended, "outcome": said}


def database(*rows, values=(), writable=True):
    return Database(frozenset(rows), tuple(f"ab-{number}" for number in values), writable)


MOVE = [began("site1", "a", 0), accepted("site1", "a", 1, 1), began("site2", "b", 3), accepted("site2", "b", 34, 4)]


def test_a_move_is_one_writer_and_loses_nothing():
    written = [outcome(1, 1.0), outcome(2, 2.0, "refused"), outcome(3, 4.5)]
    there = database(("a", 1), ("b", 34), values=(1, 3))
    found = judge(Evidence(MOVE, written, {"site2": there}))
    assert found.single_writer
    assert (found.primary, found.acknowledged, found.lost, found.accepted_lost) == ("site2", 2, (), 0)
    assert (found.outage.seconds, found.outage.begun, found.outage.ended) == (3.5, 1.0, 4.5)


@pytest.mark.parametrize(
    "late",
    [
        accepted("site1", "a", 2, 5),  # written after the other one had accepted a write
        accepted("site1", "a", 2, 3),  # at the moment at which the other one came into service
        accepted("site1", "a", 2, 2, late=2),  # begun before, and acknowledged when the other one was in service
    ],
)
def test_an_old_master_that_goes_on_is_a_violation(late):
    found = judge(Evidence([*MOVE, late]))
    assert not found.single_writer
    assert [(one.site, other.site) for one, other in found.overlaps] == [("site1", "site2")]
    assert "TWO WRITERS: site1 a" in truth_writers.text(found)


def test_a_master_in_service_is_a_writer_before_its_first_write():
    records = [began("site1", "a", 0), began("site2", "b", 3), accepted("site1", "a", 1, 4)]
    assert not judge(Evidence(records)).single_writer
    assert judge(Evidence(records[:2])).single_writer


def test_two_masters_of_one_site_are_two_writers():
    records = [accepted("site1", "a", 1, 1), accepted("site1", "b", 2, 2), accepted("site1", "a", 3, 3)]
    assert len(judge(Evidence(records)).overlaps) == 1


def test_acknowledged_writes_that_are_not_there_are_counted():
    records = [*MOVE, accepted("site1", "a", 2, 2)]
    there, old = database(("a", 1), ("b", 34), values=(1, 4)), database(("a", 1), ("a", 2), writable=False)
    written = [outcome(1, 1.0), outcome(2, 2.0), outcome(3, 3.0, "unknown"), outcome(4, 4.0)]
    found = judge(Evidence(records, written, {"site1": old, "site2": there}))
    assert (found.single_writer, found.lost, found.accepted_lost, found.diverged) == (True, (2,), 1, 1)


def test_a_number_that_both_databases_gave_is_not_the_same_write():
    records = [*MOVE, accepted("site1", "a", 34, 2)]
    assert judge(Evidence(records, [], {"site2": database(("a", 1), ("b", 34))})).accepted_lost == 1


def test_without_a_database_that_is_written_to_losses_cannot_be_told():
    found = judge(Evidence(MOVE, [outcome(1, 1.0)], {"site2": database(writable=False)}))
    assert (found.primary, found.lost, found.accepted_lost, found.diverged) == (None, None, None, None)
    assert "losses cannot be told" in truth_writers.text(found)
    assert found.outage is None


def test_of_two_databases_that_may_be_written_to_the_later_masters_counts():
    for order in (("site1", "site2"), ("site2", "site1")):
        assert judge(Evidence(MOVE, [], {site: database() for site in order})).primary == "site2"


def test_the_verdict_is_an_exit_status(capsys, monkeypatch):
    lab = type("Lab", (), {})()
    for records, status in ((MOVE, 0), ([*MOVE, accepted("site1", "a", 2, 5)], 1)):
        monkeypatch.setattr(truth_writers, "gather", lambda _lab, noted=records: Evidence(noted))
        assert truth_writers.show(lab, as_json=False) == status
    assert "NOT one writer" in capsys.readouterr().out


def silent(_value):
    raise OSError("no answer")


def test_the_writer_stays_where_it_is_taken_and_tries_both_when_it_is_not():
    writers = Writers({"site1": lambda _value: True, "site2": lambda _value: True}, "ab", 0.1)
    assert writers.try_once("site1")["outcome"] == "accepted"
    now = writers._accepted[1]
    assert [writers.is_wanted(site, now + 0.25) for site in ("site1", "site2")] == [True, False]
    assert [writers.is_wanted(site, now + 0.35) for site in ("site1", "site2")] == [True, True]
    assert writers.try_once("site2")["number"] == 2
    assert not writers.is_wanted("site1", writers._accepted[1] + 0.1)


def test_a_silent_site_hides_nothing_of_the_other():
    told, stop = [], threading.Event()
    writers = Writers({"site1": silent, "site2": lambda _value: True}, "ab", 0.01)

    def tell(row):
        told.append(row)
        if row["outcome"] == "accepted":
            stop.set()

    threads = [threading.Thread(target=writers.write, args=(site, tell, stop)) for site in ("site1", "site2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert any(row["site"] == "site2" and row["outcome"] == "accepted" for row in told)
    assert all(row["outcome"] == "unknown" for row in told if row["site"] == "site1")
