# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""replay, why and backtest at the command line: what they find, what they print, and their exit codes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import series
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import track

from sip_dr.cli import EXIT_CODES, main

START = datetime(2026, 1, 31, 3, tzinfo=timezone.utc)
POLICY = {"call_plane": "auto", "synthetic_calls": False, "witness": False}
WELL = dict.fromkeys(["inside", "redundancy", "peer", "gateways", "trunk", "mgmt"], "up")
DEAD = {"peer": "down", "witness": "down", "gateways": "down"}


def observation(second, dead):
    """One site answers nothing any more, or both are well."""
    site2 = {**WELL, "master": "down", "trunk": "down" if dead else "up"}
    sites = {"site1": DEAD if dead else {**WELL, "master": "up"}, "site2": site2}
    taken_at = (START + timedelta(seconds=second)).isoformat()
    return {"taken_at": taken_at, "observer": {"healthy": True}, "sites": sites}


def entries(first=0, last=90):
    """A site dies at 30 s and is back at 60 s; a look every 5 s."""
    state = {}
    yield series.beginning(POLICY, state)
    for second in range(first, last, 5):
        seen = observation(second, 30 <= second < 60)
        state, decision = track(state, seen, POLICY)
        yield series.judged(seen, decision)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder of runs with one run in it, as the working directory's runs/."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    made = list(entries())
    (run / series.FILE_NAME).write_text("".join(map(series.line, made)))
    (run / "verdict.json").write_text(json.dumps(made[8]["decision"]))
    return tmp_path / "runs"


@pytest.mark.parametrize("name", ["one", "runs/one", "runs/one/observations.jsonl", "runs"])
def test_a_run_replays_the_same(runs, capsys, name):
    assert main(["replay", name]) == 0
    assert capsys.readouterr().out == "runs/one/observations.jsonl: same: 18 of 18 observations have a saved decision\n"


def test_a_run_that_was_changed_does_not(runs, capsys):
    path = runs / "one" / series.FILE_NAME
    path.write_text(path.read_text().replace('"verdict":"SITE_DOWN"', '"verdict":"NORMAL"', 1))
    code = main(["replay", "one"])
    assert code == 40 and code in EXIT_CODES.values()
    assert capsys.readouterr().out == (
        'runs/one/observations.jsonl: line 11, decision.verdict: saved "NORMAL", replayed "SITE_DOWN"\n'
    )


def test_one_of_two_runs_that_differs_is_enough(runs, capsys):
    (runs / "two").mkdir()
    (runs / "two" / "observations-old.jsonl").write_text(series.line({"observation": observation(0, False)}))
    changed = series.judged(observation(0, False), {"verdict": "GRAY"})
    (runs / "three.jsonl").write_text(series.line(changed))
    assert main(["replay", "runs"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "runs/two/observations-old.jsonl: same: 0 of 1 observations have a saved decision"
    )
    (runs / "two" / "observations.jsonl").write_text(series.line(changed))
    assert main(["replay", "runs"]) == 40


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay", "two"], "two: no such file, directory or run in runs"),
        (["replay", "runs/empty"], "runs/empty: no observations*.jsonl in it"),
        (["backtest", "runs/empty"], "runs/empty: no observations*.jsonl in it"),
        (["why", "runs/empty"], "runs/empty: no verdict.json in it"),
        (["why", "runs/empty/no.json"], "runs/empty/no.json: no such file, directory or run in runs"),
        (["why", "list.json"], "list.json: expected a decision"),
        (["why", "torn.json"], "Expecting"),
        (["replay", "torn.json"], "line 1: expected a JSON object"),
        (["backtest", "torn.json"], "torn.json: line 1: expected a JSON object"),
        (["backtest", "one", "--policy", "missing.yml"], "No such file or directory: 'missing.yml'"),
        (["backtest", "one", "--policy", "list.json"], "policy: expected a mapping, found ["),
        (["backtest", "one", "--policy", "torn.json"], "while parsing a flow node expected the node content"),
        (["backtest", "one", "--policy", "wrong.yml"], "observations.jsonl: policy.confirm: expected a number"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(runs, capsys, words, said):
    (runs / "empty").mkdir()
    (runs.parent / "list.json").write_text("[1]\n")
    (runs.parent / "torn.json").write_text('{"verdict": \n')
    (runs.parent / "wrong.yml").write_text("confirm: soon\n")
    assert main(words) == 1
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.startswith(f"sip-dr {words[0]}: ")
    assert captured.out == ""


def test_why_is_about_what_was_decided_last(runs, capsys):
    assert main(["why"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "runs/one/verdict.json:"
    assert lines[1].startswith("SUSPECT site1: SITE_DOWN site1 not confirmed yet: 5 s of 15 s.")
    later = runs / "verdict.json"
    later.write_text((runs / "one" / "verdict.json").read_text())
    assert main(["why"]) == 0
    assert capsys.readouterr().out.startswith("runs/verdict.json:\n")
    assert main(["why", "one"]) == 0
    assert capsys.readouterr().out.startswith("runs/one/verdict.json:\n")


def test_a_backtest_says_what_would_have_fired(runs, capsys, tmp_path):
    (tmp_path / "slow.yml").write_text("continuity_policy: {confirm: 20}\n")
    assert main(["backtest", "runs", "--policy", "slow.yml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        "18 observations in 1 series, 2026-01-31T03:00:00Z to 2026-01-31T03:01:25Z.",
        "Changed in the saved policy: confirm: 20. Decisions to compare with: 18.",
        "Would have fired 1 time (then 1):",
        "  2026-01-31T03:00:50Z  prefer_survivor  SITE_DOWN site1",
        "Departed from a calm verdict 1 time (then 1):",
        "  2026-01-31T03:00:30Z  SITE_DOWN, said as SUSPECT site1",
        "Verdicts:",
    ]
    assert "  SITE_DOWN site1  1      5        1     10" in lines
    assert "  2026-01-31T03:00:50Z to 2026-01-31T03:00:55Z (2): SITE_DOWN site1" in lines
    differs = lines.index("Other than what was decided then: 1 observation, 1 stretch:")
    assert lines[differs + 1] == (
        "  2026-01-31T03:00:45Z to 2026-01-31T03:00:45Z (1): then SITE_DOWN site1 (prefer_survivor), now SUSPECT site1"
    )
    assert "  never answered: site1 calls, site1 capacity, site1 witness, site2 calls, site2 capacity" not in lines
    assert "confirm: 35 s suggested: the longest of only 1 departure healed unaided, and one interval" in lines
    bar = lines.index("  site1 inside: 1, longest 30 s; others 0")
    assert lines[bar + 1] == "      <= 30  ######################################## 1"


def test_several_files_are_spread_over_the_cores(runs, capsys):
    for number in range(3):
        (runs / str(number)).mkdir()
        made = entries(number * 1000, number * 1000 + 10)
        (runs / str(number) / series.FILE_NAME).write_text("".join(map(series.line, made)))
    assert main(["backtest", "runs"]) == 0
    assert capsys.readouterr().out.startswith(
        "24 observations in 4 series, 2026-01-31T03:00:00Z to 2026-01-31T03:33:25Z."
    )


def test_long_lists_are_cut_and_say_so(runs, capsys):
    made = [observation(10 * step, step % 2) for step in range(60)]
    lines = map(series.line, [series.beginning(POLICY, {}), *({"observation": each} for each in made)])
    (runs / "one" / series.FILE_NAME).write_text("".join(lines))
    assert main(["backtest", "one"]) == 0
    short = capsys.readouterr().out.splitlines()
    assert "  and 10 more (--all)" in short
    assert main(["backtest", "one", "--all"]) == 0
    assert "  and 10 more (--all)" not in capsys.readouterr().out


def test_nothing_happened(runs, capsys):
    (runs / "one" / series.FILE_NAME).write_text(series.line({"observation": observation(0, False)}))
    assert main(["backtest", "one"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [
        "Would have fired 0 times (then 0).",
        "Departed from a calm verdict 0 times (then 0).",
        "No verdict but NORMAL, BLIND_SPOT and DEGRADED.",
    ]
    assert "  nothing was missing" in lines
    assert lines[-2:] == [
        "fresh: no gap healed by itself, so nothing is suggested",
        "confirm: no departure healed by itself, so nothing is suggested",
    ]
    (runs / "one" / series.FILE_NAME).write_text("")
    assert main(["backtest", "one"]) == 0
    assert capsys.readouterr().out.startswith("No observation.\n")
