# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a continuous run is made of: answers that arrive one host at a time, folded into one series of decisions.

Each host looks at its own pace, so that one that waits for silence holds up no other; and what costs more is asked
apart and less often, so that a database that hangs holds up no question about calls. An observation is made of the
newest answers of all of them, and calls itself as old as the oldest: an answer may be taken for older than it is, never
for newer. Answers older than the policy's `fresh` are none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import merge
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import to_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import DEFAULT_POLICY, track

CALM_INTERVAL = 5.0
"""Seconds after which an observation that says nothing new is judged all the same; well under `max_gap`."""
CLOCK_INTERVAL = 1.0
"""The same while a clock of the decision runs: so late at most is it seen to have run out."""
OFTEN, SELDOM = "often", "seldom"
"""The two kinds of look that each host takes, beside each other."""
PACE = {OFTEN: 1, SELDOM: 3}
"""How many intervals lie between two looks of a kind."""
COSTLY = frozenset({"call", "coordination", "database"})
"""Kinds of check that are asked seldom: a test call takes up a line, a look into a database a process and a log-in."""
Json = dict[str, Any]


def paces(checks: Iterable[Json]) -> dict[str, list[Json]]:
    """Split a host's checks into those asked often and those asked seldom."""
    parts: dict[str, list[Json]] = {OFTEN: [], SELDOM: []}
    for check in checks:
        costly = check["kind"] in COSTLY or "database_address" in check
        parts[SELDOM if costly else OFTEN].append(check)
    return parts


class Mail(NamedTuple):
    """What one host answered: the module's result, `{}` when it was not reached, None when it has nothing to look at.

    started_at: when the look began, in epoch seconds.
    """

    started_at: float
    probe: Mapping[str, Any] | None


class Mailbox:
    """A directory on the controller where the processes that look leave their answers for the one that decides."""

    def __init__(self, directory: Path) -> None:
        """Use a directory; it is made by whoever comes first."""
        self._directory = directory
        self._seen: dict[str, tuple[int, int]] = {}
        directory.mkdir(mode=0o700, exist_ok=True)

    def post(self, name: str, content: object) -> None:
        """Leave the newest word of one sender; the one before it is gone."""
        draft = self._directory / f".{name}"
        draft.write_text(json.dumps(content), encoding="utf-8")
        os.replace(draft, self._directory / name)

    def holds(self, name: str) -> bool:
        """Whether a sender has posted anything."""
        return (self._directory / name).exists()

    def read(self, name: str) -> Any:  # noqa: ANN401  what was posted: any JSON
        """Return a sender's newest word if it has not been read yet, else None."""
        path = self._directory / name
        try:
            found = path.stat()
            written = (found.st_ino, found.st_mtime_ns)
            if self._seen.get(name) == written:
                return None
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        self._seen[name] = written
        return content


class Judged(NamedTuple):
    """One observation with what was handed to `track` and what came of it."""

    before: Json
    observation: Json
    decision: Json
    state: Json


class Watch:
    """Makes observations of the newest answers and folds them, one after the other."""

    def __init__(self, continuity: Json, policy: Json, attestations: Json) -> None:
        """`continuity` is the checked deployment data; `attestations` as the observation's `attested_down`, by site."""
        self._continuity = continuity
        self._policy = policy
        self._attestations = attestations
        self._fresh = float(policy.get("fresh", DEFAULT_POLICY["fresh"]))
        self._mails: dict[tuple[str, str], Mail] = {}
        self._last: Judged | None = None
        self._judged_at = 0.0
        self.store: Json = {}

    def take(self, host: str, pace: str, mail: Mail) -> None:
        """Note a host's answers of one kind of look, unless those of a later look are known."""
        known = self._mails.get((host, pace))
        if known is None or mail.started_at >= known.started_at:
            self._mails[host, pace] = mail

    def waits_for(self, hosts: Iterable[str]) -> bool:
        """Whether one of the hosts has not said anything yet, not even that it cannot be reached."""
        return not {(host, pace) for host in hosts for pace in PACE} <= set(self._mails)

    def judge(self, now: float) -> Judged | None:
        """Fold what is known at `now` (epoch seconds); None when there is nothing new and no clock to look at."""
        heard = {sender: mail for sender, mail in self._mails.items() if self._counts(mail, now)}
        probes = _probes(heard)
        self.store = merge(_coordination(probes.values()))
        before = self._last.state if self._last else self.store["records"].get("track") or {}
        observation = to_observation(self._continuity, probes, self._meta(heard.values(), before, now))
        if self._last and not self._due(observation, now):
            return None
        state, decision = track(before, observation, self._policy)
        self._last, self._judged_at = Judged(before, observation, decision, state), now
        return self._last

    def _counts(self, mail: Mail, now: float) -> bool:
        return mail.probe is None or now - mail.started_at <= self._fresh

    def _due(self, observation: Json, now: float) -> bool:
        assert self._last is not None
        interval = CLOCK_INTERVAL if self._last.decision["remaining"] else CALM_INTERVAL
        return now - self._judged_at >= interval or _values(observation) != _values(self._last.observation)

    def _meta(self, heard: Iterable[Mail], before: Json, now: float) -> Json:
        records = self.store["records"]
        reached = [mail.started_at for mail in heard if mail.probe]
        return {
            "started_at": moment(min([*reached, now])),
            "taken_at": moment(now),
            "not_before": before.get("taken_at"),
            "events": records.get("events") or [],
            "attestations": self._attestations,
            "attested": records.get("attestations") or [],
            "downtime": records.get("downtime") or [],
            "isolated": dict.fromkeys(before.get("failed_over") or {}, "failover"),
        }


def moment(seconds: float) -> str:
    """RFC 3339 of epoch seconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def worth_keeping(judged: Judged) -> Json:
    """Return what must not be lost with the controller: when it changes, the state goes to the store."""
    kept = ("raw", "departures", "flapping_since", "last_master", "failed_over", "lasting")
    return {**{key: judged.state[key] for key in kept}, "settled": judged.decision["settled"]}


def _probes(heard: Mapping[tuple[str, str], Mail]) -> dict[str, Json]:
    """Join each host's answers; whether it was reached is said by the look that is taken often, where there is one."""
    joined: dict[str, Json] = {}
    for host in sorted({host for host, _ in heard}):
        often, seldom = (heard[host, pace].probe if (host, pace) in heard else {} for pace in (OFTEN, SELDOM))
        first, more = (seldom, {}) if often is None else (often, seldom)
        joined[host] = {**first, "answers": first["answers"] + (more or {}).get("answers", [])} if first else {}
    return joined


def _coordination(probes: Iterable[Json]) -> list[Json]:
    answers = [answer for probe in probes for answer in probe.get("answers") or []]
    return [answer for answer in answers if answer["kind"] == "coordination"]


def _values(data: object) -> object:
    """What an observation says, without times, round trips and wording."""
    if isinstance(data, Mapping):
        return {key: _values(value) for key, value in data.items() if key not in ("taken_at", "at", "of", "by", "lag")}
    return data
