# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a continuous run is made of: answers that arrive one host at a time, folded into one series of decisions.

Each host looks at its own pace, so that one that waits for silence holds up no other; and what costs more is asked
apart and less often, so that a database that hangs holds up no question about calls. An observation is made of the
newest answers of all of them, and calls itself as old as the oldest: an answer may be taken for older than it is, never
for newer. Answers older than the policy's `fresh` are none; only what the coordination store said last stays known, of
each of its hosts while nothing newer comes: what people told does not end when a host falls silent.

Ages, and the order of answers, are seconds of CLOCK_MONOTONIC, which is the same in all processes of one machine. The
wall clock only dates an observation: it may be stepped.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import series
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import merge
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import to_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.state_clock import pulled
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import DEFAULT_POLICY, track

CALM_INTERVAL = 5.0
"""Seconds after which an observation that says nothing new is judged all the same; well under `max_gap`."""
CLOCK_INTERVAL = 1.0
"""The same while a clock of the decision runs: so late at most is it seen to have run out."""
LARGEST = 64 * 1024 * 1024
"""Bytes at which a series is put aside: some nine hours of a quiet watch."""
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

    started_at: when the look began, in seconds of CLOCK_MONOTONIC.
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

    def __init__(self, continuity: Json, policy: Json, attestations: Json, now: float) -> None:
        """`continuity` is the checked deployment data; `attestations` as the observation's `attested_down`, by site.

        now: seconds of CLOCK_MONOTONIC, here and everywhere in this class.
        """
        self._continuity = continuity
        self._policy = policy
        self._attestations = attestations
        self._begun = now
        self._fresh = float(policy.get("fresh", DEFAULT_POLICY["fresh"]))
        self._mails: dict[tuple[str, str], Mail] = {}
        self._stores: dict[str, Json] = {}
        self._recalled = False
        self._last: Judged | None = None
        self._judged_at = now

    def take(self, host: str, pace: str, mail: Mail) -> None:
        """Note a host's answers of one kind of look, unless those of a later look are known."""
        known = self._mails.get((host, pace))
        if known is not None and mail.started_at < known.started_at:
            return
        self._mails[host, pace] = mail
        for answer in _stores([mail]):
            self._stores[host] = answer

    @property
    def store(self) -> Json:
        """What the coordination store says: of each of its hosts what was read there last (records.py, `merge`)."""
        return merge(self._stores.values())

    @property
    def store_read(self) -> bool:
        """Whether the coordination store has been read on any of its hosts since the watch began."""
        return bool(self._stores)

    def waits_for(self, hosts: Iterable[str], now: float) -> bool:
        """Whether one of the hosts has not said anything yet, not even that it cannot be reached.

        Nobody is waited for longer than `fresh` from the begin: a host whose first look hangs holds up no other.
        """
        heard = {(host, pace) for host in hosts for pace in PACE} <= set(self._mails)
        return not heard and now < self._begun + self._fresh

    def judge(self, now: float, wall: float) -> Judged | None:
        """Fold what is known at `now`; None when there is nothing new and no clock to look at.

        wall: the same moment by the wall clock, in epoch seconds.
        """
        heard = {sender: mail for sender, mail in self._mails.items() if self._counts(mail, now)}
        before = self._before()
        observation = to_observation(self._continuity, _probes(heard), self._meta(heard.values(), before, now, wall))
        if self._last and not self._due(observation, now):
            return None
        before = pulled(before, observation)
        state, decision = track(before, observation, self._policy)
        self._recalled = self.store_read
        self._last, self._judged_at = Judged(before, observation, decision, state), now
        return self._last

    def _before(self) -> Json:
        """The state to go on from: what the store remembers outweighs what was decided before it could be read."""
        known = {} if self._recalled else self.store["records"].get("track")
        return known or (self._last.state if self._last else {})

    def _counts(self, mail: Mail, now: float) -> bool:
        return mail.probe is None or now - mail.started_at <= self._fresh

    def _due(self, observation: Json, now: float) -> bool:
        assert self._last is not None
        interval = CLOCK_INTERVAL if self._last.decision["remaining"] else CALM_INTERVAL
        return now - self._judged_at >= interval or _values(observation) != _values(self._last.observation)

    def _meta(self, heard: Collection[Mail], before: Json, now: float, wall: float) -> Json:
        records = self.store["records"]
        reached = [mail.started_at for mail in heard if mail.probe]
        return {
            "started_at": moment(wall - (now - min([*reached, now]))),
            "taken_at": moment(wall),
            "not_before": before.get("taken_at"),
            "store_read": self.store_read,
            "events": records.get("events") or [],
            "attestations": self._attestations,
            "attested": records.get("attestations") or [],
            "downtime": records.get("downtime") or [],
            "overrides": records.get("overrides") or [],
            "ticket": _ticket(heard),
            "isolated": dict.fromkeys(before.get("failed_over") or {}, "failover"),
        }


class SeriesFile:
    """The series of a continuous run on the disk (series.py), in at most twice `LARGEST` bytes and some."""

    def __init__(self, directory: Path, policy: Json) -> None:
        """Use a directory; nothing is written yet."""
        self._path = directory / series.FILE_NAME
        self._policy = policy
        self._state: Json | None = None

    def add(self, judged: Judged) -> None:
        """Append what was judged; after a beginning, where the file does not end with the judgement before it.

        Raises OSError when it cannot be written; the file then holds nothing of it.
        """
        self._turn()
        begins = [] if judged.before == self._state else [series.beginning(self._policy, judged.before)]
        self._state = None
        lines = [*begins, series.judged(judged.observation, judged.decision)]
        _append(self._path, "".join(map(series.line, lines)).encode())
        self._state = judged.state

    def _turn(self) -> None:
        """Put a file that has grown large aside, in place of the one before it, by a name that `sip-dr` finds."""
        if self._path.exists() and self._path.stat().st_size >= LARGEST:
            os.replace(self._path, self._path.with_name(f"{self._path.stem}-1{self._path.suffix}"))
            self._state = None


def _append(path: Path, content: bytes) -> None:
    """Append whole lines by one write, as series.py asks for. Raises OSError, with the file as it was before."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)


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


def _ticket(heard: Iterable[Mail]) -> Json | None:
    """The ticket as it was read last; unlike what people said, it ends to be known with the answers' freshness."""
    ticket: Json | None = merge(_stores(heard)).get("ticket")
    return ticket


def _stores(heard: Iterable[Mail]) -> Iterable[Json]:
    return [answer for mail in heard for answer in (mail.probe or {}).get("answers") or [] if answer.get("store")]


def _values(data: object) -> object:
    """What an observation says, without times, round trips and wording."""
    if isinstance(data, Mapping):
        return {key: _values(value) for key, value in data.items() if key not in ("taken_at", "at", "of", "by", "lag")}
    return data
