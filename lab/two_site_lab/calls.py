# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each call, from the log of the carrier's SIPp. Pure: text in, figures out.

The log is the only honest source: SIPp's own statistics count a rejected call as successful. A line is SIPp's timestamp
(date, time, seconds of the epoch), an event, and ``name=value`` fields: OFFER, then ANSWER, REJECT or TIMEOUT, and
CUTOFF where a call that was answered got no answer to its BYE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import floor

EVENTS = ("OFFER", "ANSWER", "REJECT", "TIMEOUT", "CUTOFF")


@dataclass(frozen=True)
class Call:
    """One call. Times are seconds of the epoch; ``ended`` is when it was answered or failed, None while it is open.

    ``site`` is where it was answered (``?`` if neither header told), ``failure`` why it was not: ``480``, ``timeout``.
    """

    number: int
    offered: float
    ended: float | None = None
    site: str | None = None
    failure: str | None = None
    cut_off: bool = False


def parse(log: str, sites: Mapping[str, str]) -> list[Call]:
    """All calls in a log, by the time they were offered; ``sites`` is ``{virtual address: site}``.

    X-DR-Site names the site; where an answer lacks it, the SIP Server's own Record-Route does. A last line that SIPp
    has not finished writing is left out.
    """
    calls: dict[int, Call] = {}
    for line in log[: log.rfind("\n") + 1].splitlines():
        words = line.split()
        if len(words) < 5 or words[3] not in EVENTS:
            continue
        fields = dict(word.partition("=")[::2] for word in words[4:])
        _take(calls, float(words[2]), words[3], fields, sites)
    return sorted(calls.values(), key=lambda call: call.offered)


def _take(calls: dict[int, Call], at: float, event: str, fields: dict[str, str], sites: Mapping[str, str]) -> None:
    number = int(fields["call"])
    if event == "OFFER":
        calls[number] = Call(number, at)
        return
    call = calls.get(number)
    if call is None:
        return
    if event == "ANSWER":
        site = fields.get("site") or sites.get(fields.get("proxy", ""), "?")
        calls[number] = replace(call, ended=at, site=site)
    elif event == "CUTOFF":
        calls[number] = replace(call, cut_off=True)
    else:
        calls[number] = replace(call, ended=at, failure=fields.get("code", "timeout"))


def between(calls: Iterable[Call], since: float | None = None, until: float | None = None) -> list[Call]:
    """The calls that were offered in a span of time (seconds of the epoch; None: open)."""
    return [
        call for call in calls if (since is None or call.offered >= since) and (until is None or call.offered < until)
    ]


def figures(calls: Iterable[Call]) -> dict[str, object]:
    """The sum: offered, answered, failed, open, cut off, answers by site, the failures, the delay until the answer."""
    listed = list(calls)
    answered = [call for call in listed if call.site]
    failed = [call for call in listed if call.failure]
    delays = sorted((call.ended or call.offered) - call.offered for call in answered)
    return {
        "offered": len(listed),
        "answered": len(answered),
        "failed": len(failed),
        "open": len(listed) - len(answered) - len(failed),
        "cut_off": sum(call.cut_off for call in listed),
        "by_site": {site: _count(answered, site) for site in sorted({call.site for call in answered if call.site})},
        "failures": [{"offered": call.offered, "why": call.failure} for call in failed],
        "delay": {"median": _quantile(delays, 0.5), "p95": _quantile(delays, 0.95), "longest": _quantile(delays, 1.0)},
    }


def per_second(calls: Iterable[Call]) -> list[dict[str, object]]:
    """A row for each second in which calls were offered: ``at``, ``offered``, ``failed``, ``answered`` by site."""
    rows: dict[int, list[Call]] = {}
    for call in calls:
        rows.setdefault(floor(call.offered), []).append(call)
    return [
        {
            "at": second,
            "offered": len(row),
            "failed": sum(bool(call.failure) for call in row),
            "answered": {site: _count(row, site) for site in sorted({call.site for call in row if call.site})},
        }
        for second, row in sorted(rows.items())
    ]


def settled_at(calls: Iterable[Call], site: str, since: float, share: float = 0.95, window: int = 10) -> float | None:
    """From when on a site answers: offer time of the first call after ``since`` from which ``share`` of the next
    ``window`` calls are answered there; None if that never came."""
    later = between(calls, since)
    for start in range(len(later) - window + 1):
        if _count(later[start : start + window], site) >= share * window:
            return later[start].offered
    return None


def _count(calls: Iterable[Call], site: str) -> int:
    return sum(call.site == site for call in calls)


def _quantile(ordered: list[float], share: float) -> float | None:
    """The value at a share of an ordered list, in milliseconds' precision."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
