# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backtest as a person reads it: what would have fired, false alarms first of all, and what was missing how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import amount, seconds, time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.backtest import Backtest, Fired, Side, Stretch
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.missing import (
    EDGES,
    ENOUGH,
    SHARE,
    Healed,
    Missing,
    bars,
    suggestion,
)

WIDTH = 40
"""Signs of the longest bar."""


def backtest_text(found: Backtest, series: int, changes: Mapping[str, Any], most: int | None) -> list[str]:
    """The lines of a backtest of so many series under a policy with `changes`; at most `most` lines of each list."""
    return [
        *_heading(found, series, changes),
        *_fired(found, most),
        *_departures(found, most),
        *_verdicts(found.now, found.then),
        *_sites_down(found.now, most),
        *_differences(found, most),
        *missing_text(found.missing),
    ]


def _heading(found: Backtest, series: int, changes: Mapping[str, Any]) -> list[str]:
    if found.first is None or found.last is None:
        return ["No observation."]
    policy = ", ".join(f"{key}: {value}" for key, value in changes.items()) or "nothing"
    many, span = _count(found.observations, "observation"), f"{time_text(found.first)} to {time_text(found.last)}"
    return [
        f"{many} in {series} series, {span}.",
        f"Changed in the saved policy: {policy}. Decisions to compare with: {found.compared}.",
    ]


def _fired(found: Backtest, most: int | None) -> list[str]:
    lines = [f"{time_text(each.at)}  {each.action}  {_subject(each)}" for each in found.now.fired]
    return _list(f"Would have fired {_count(len(lines), 'time')} (then {len(found.then.fired)})", lines, most)


def _departures(found: Backtest, most: int | None) -> list[str]:
    lines = [f"{time_text(each.at)}  {each.action}, said as {_subject(each)}" for each in found.now.departures]
    return _list(
        f"Departed from a calm verdict {_count(len(lines), 'time')} (then {len(found.then.departures)})", lines, most
    )


def _verdicts(now: Side, then: Side) -> list[str]:
    names = list(dict.fromkeys(_name(each.said) for side in (now, then) for each in side.stretches))
    rows = [[name, *_sum(name, now), *_sum(name, then)] for name in sorted(names)]
    if not rows:
        return ["No verdict but NORMAL, BLIND_SPOT and DEGRADED."]
    table = [["verdict", "times", "seconds", "then", "seconds"], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    return ["Verdicts:", *("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table)]


def _sum(name: str, side: Side) -> list[str]:
    found = [each for each in side.stretches if _name(each.said) == name]
    return [str(len(found)), amount(sum(seconds(each.until, each.since) for each in found))]


def _sites_down(now: Side, most: int | None) -> list[str]:
    found = [each for each in now.stretches if each.said[0].startswith("SITE_DOWN")]
    lines = [f"{_span(each)}: {_name(each.said)}" for each in found]
    return _list("Sites said to be down", lines, most) if lines else []


def _differences(found: Backtest, most: int | None) -> list[str]:
    count = sum(each.observations for each in found.differences)
    lines = [f"{_span(each)}: then {each.said[0]}, now {each.said[1]}" for each in found.differences]
    return _list(
        f"Other than what was decided then: {_count(count, 'observation')}, {_count(len(lines), 'stretch', 'es')}",
        lines,
        most,
    )


def missing_text(missing: Missing) -> list[str]:
    """The histogram of how long signals were missing, and the thresholds that it suggests."""
    lines = ["How long signals were missing, seconds (what healed by itself; others: cut off, downtime, failed over):"]
    for (site, signal), healed in missing.gaps.items():
        lines += _histogram(f"{site} {signal}", healed)
    lines += ["  nothing was missing"] if not missing.gaps else []
    if missing.never:
        lines.append("  never answered: " + ", ".join(f"{site} {signal}" for site, signal in missing.never))
    lines += ["How long departures lasted, seconds:", *_histogram("raw verdict", missing.disturbances)]
    gaps = [length for healed in missing.gaps.values() for length in healed.lengths]
    return [
        *lines,
        *_suggested("fresh", "gap", gaps, missing.distances),
        *_suggested("confirm", "departure", missing.disturbances.lengths, missing.distances),
    ]


def _histogram(name: str, healed: Healed) -> list[str]:
    longest = f", longest {amount(max(healed.lengths))} s" if healed.lengths else ""
    lines = [f"  {name}: {len(healed.lengths)}{longest}; others {healed.others}"]
    held = bars(healed.lengths)
    for count, label in zip(held, [*(f"<= {edge}" for edge in EDGES), f"> {EDGES[-1]}"], strict=True):
        if count:
            lines.append(f"    {label:>7}  {'#' * max(1, round(WIDTH * count / max(held)))} {count}")
    return lines


def _suggested(key: str, what: str, lengths: Iterable[float], distances: Mapping[float, int]) -> list[str]:
    found = suggestion(lengths, distances)
    if found is None:
        return [f"{key}: no {what} healed by itself, so nothing is suggested"]
    share = f"{SHARE:.0%} of" if found.rests_on >= ENOUGH else "the longest of only"
    return [
        f"{key}: {found.seconds} s suggested: {share} {_count(found.rests_on, what)} healed unaided, and one interval",
        f"  the longest lasted {amount(found.longest)} s; if they are of a kind, the next one is longer than all of "
        f"them with probability 1/{found.rests_on + 1}",
        "  an outage that somebody mended is among them too, and each second more is one more for a real failure",
    ]


def _list(heading: str, lines: list[str], most: int | None) -> list[str]:
    if not lines:
        return [f"{heading}."]
    more = [f"  and {len(lines) - most} more (--all)"] if most is not None and len(lines) > most else []
    return [f"{heading}:", *(f"  {line}" for line in lines[:most]), *more]


def _count(number: int, what: str, more: str = "s") -> str:
    return f"{number} {what}{'' if number == 1 else more}"


def _span(each: Stretch) -> str:
    return f"{time_text(each.since)} to {time_text(each.until)} ({each.observations})"


def _subject(each: Fired) -> str:
    return _name((each.said.verdict, each.said.site))


def _name(said: tuple[str, str | None]) -> str:
    return f"{said[0]} {said[1]}" if said[1] else said[0]
