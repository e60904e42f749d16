"""Sweeps: the summary, and the progress file while one is under way."""

from __future__ import annotations

import json
import threading
import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip import sweep as sweep_module
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.sweep import Probe, Progress, Sweep, summary
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.targets import read_targets
from sip_doubles import mute, ok, udp_peer


def probe(name, **outcome):
    (target,) = read_targets([{"name": name, "address": "10.0.0.1"}])
    return Probe(target, Outcome(target.request(), **outcome))


def test_summary():
    probes = [
        probe("a", status=200, rtt=0.1, sent=1),
        probe("b", status=503, rtt=0.3, sent=1),
        probe("c", sent=6),
        probe("d", error="no route"),
        probe("e", status=404, rtt=0.2, sent=2),
        probe("f", sent=1, answered=True),
    ]
    assert summary(probes, slowest=2) == {
        "counts": {"total": 6, "up": 2, "down": 3, "unknown": 1, "answered": 4},
        "statuses": {"200": 1, "404": 1, "503": 1, "none": 3},
        "sent": 11,
        "down": ["b", "c", "f"],
        "unknown": ["d"],
        "rtt": {"median": 0.2, "p95": 0.2, "max": 0.3},
        "slowest": [{"name": "b", "rtt": 0.3}, {"name": "e", "rtt": 0.2}],
    }


def test_summary_of_nothing():
    nothing = summary([], slowest=0)
    assert nothing["counts"]["total"] == 0
    assert (nothing["rtt"]["max"], nothing["slowest"]) == (None, [])


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        ({"status": 200, "reason": "OK", "sent": 1}, "200 OK"),
        ({"status": 200}, "200"),
        (
            {"status": 401, "reason": "No", "error": "the credentials were refused"},
            "401 No, the credentials were refused",
        ),
        ({"sent": 1, "error": "Connection refused"}, "no final response to 1 sending, Connection refused"),
        ({"sent": 6}, "no final response to 6 sendings"),
        ({"error": "Network is unreachable"}, "could not be asked, Network is unreachable"),
    ],
)
def test_one_answer(outcome, detail):
    answer = probe("a", **outcome).answer()
    assert (answer["name"], answer["transport"], answer["detail"]) == ("a", "udp", detail)


def test_what_remains_is_estimated_by_the_pace_so_far():
    progress = Progress(total=4)
    assert progress.state()["remaining"] is None
    progress.note(probe("a", status=200).outcome)
    time.sleep(0.05)
    state = progress.state()
    assert (state["done"], state["up"], state["down"]) == (1, 1, 0)
    assert state["remaining"] == pytest.approx(state["elapsed"] * 3, rel=0.1)


def test_the_progress_file_tells_while_the_sweep_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_module, "PROGRESS_INTERVAL", 0.02)
    path = tmp_path / "progress.json"
    with udp_peer(ok) as good, udp_peer(mute) as dead:
        targets = read_targets([{"address": "127.0.0.1", "port": port} for port in (good.port, dead.port)])
        sweep = Sweep(SipClient(t1=0.05, tries=2, deadline=0.6), targets, str(path))
        thread = threading.Thread(target=sweep.run)
        thread.start()
        seen = set()
        while thread.is_alive():
            if path.exists():
                seen.add(json.loads(path.read_text())["done"])
        thread.join()
    assert {0, 1} <= seen
    end = json.loads(path.read_text())
    assert (end["total"], end["done"], end["up"], end["down"], end["remaining"]) == (2, 2, 1, 1, 0.0)
    assert [entry.name for entry in tmp_path.iterdir()] == ["progress.json"]


def test_without_a_progress_file():
    with udp_peer(ok) as peer:
        sweep = Sweep(SipClient(), read_targets([{"address": "127.0.0.1", "port": peer.port}]))
        assert [one.outcome.status for one in sweep.run()] == [200]
    assert sweep.progress.state()["up"] == 1


def test_a_progress_file_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path):
    with udp_peer(ok) as peer:
        targets = read_targets([{"address": "127.0.0.1", "port": peer.port}])
        with pytest.raises(OSError):
            Sweep(SipClient(), targets, str(tmp_path / "missing" / "progress.json")).run()
    assert peer.received == []


def test_a_progress_file_that_fails_later_stops_no_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_module, "PROGRESS_INTERVAL", 0.02)
    directory = tmp_path / "there"
    directory.mkdir()
    with udp_peer(mute) as dead:
        targets = read_targets([{"address": "127.0.0.1", "port": dead.port}])
        sweep = Sweep(SipClient(t1=0.05, tries=1, deadline=0.3), targets, str(directory / "progress.json"))
        thread = threading.Thread(target=lambda: probes.extend(sweep.run()))
        probes = []
        thread.start()
        while not (directory / "progress.json").exists():
            time.sleep(0.005)
        directory.rename(tmp_path / "elsewhere")
        thread.join()
    assert len(probes) == 1
