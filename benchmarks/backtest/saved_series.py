# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a folder of saved series such as a continuous run leaves behind.

The example inventory's checks are answered as in a deployment that is mostly well, with now and then a silent host, a
silent site or a partition; `to_observation` turns the answers into observations with all their details, and `track`
decides each of them. Only the times are put in afterwards: a situation is drawn VARIANTS times, not once for each line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, series
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import probe_checks, to_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_check import check_deployment

EXAMPLE = Path(__file__).parents[2] / "inventories" / "example"
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
INTERVAL = timedelta(seconds=10)
"""Between two observations."""
LOOKING = timedelta(seconds=2)
"""How long the looking before each of them takes."""
POLICY = {"synthetic_calls": False}
VARIANTS = 6
LASTS = 12
"""A situation lasts for up to so many observations."""

Lost = Callable[[str, Mapping[str, Any]], bool]

SITUATIONS: dict[str, tuple[float, Lost]] = {
    "witness silent": (0.004, lambda host, check: host.startswith("par")),
    "gateway silent": (0.004, lambda host, check: check["kind"] == "gateway" and host.startswith("fra")),
    "site silent": (0.0005, lambda host, check: host.startswith("fra") or check["about"] == "fra"),
    "partition": (0.0005, lambda host, check: check["signal"] in ("peer", "trunk", "mgmt")),
}
"""How often each begins, and which answers of a host it loses; a host that loses all of them was not reached."""


def make(folder: Path, observations: int, files: int) -> None:
    """Write so many observations, evenly over the files."""
    chance = random.Random(7)
    drawn = {name: _variants(lost, chance) for name, (_, lost) in SITUATIONS.items()}
    drawn["quiet"] = _variants(lambda host, check: False, chance)
    each = -(-observations // files)
    for number in range(files):
        count = min(each, observations - number * each)
        path = folder / f"{number:03}" / series.FILE_NAME
        path.parent.mkdir(parents=True)
        with path.open("w", encoding="utf-8") as out:
            out.writelines(_lines(drawn, START + timedelta(days=number), count, chance))


def _lines(drawn: Mapping[str, list[str]], begin: datetime, count: int, chance: random.Random) -> Iterator[str]:
    yield series.line(series.beginning(POLICY, {}))
    tracker = Tracker({}, POLICY)
    situations = _story(chance)
    for step in range(count):
        now = begin + step * INTERVAL
        text = chance.choice(drawn[next(situations)])
        text = text.replace("@taken", now.isoformat()).replace("@started", (now - LOOKING).isoformat())
        observation = json.loads(text)
        yield series.line(series.judged(observation, tracker.judge(observation).decision()))


def _story(chance: random.Random) -> Iterator[str]:
    while True:
        name = next((name for name, (often, _) in SITUATIONS.items() if chance.random() < often), "quiet")
        for _ in range(1 if name == "quiet" else chance.randint(1, LASTS)):
            yield name


def _variants(lost: Lost, chance: random.Random) -> list[str]:
    return [_drawn(lost, chance) for _ in range(VARIANTS)]


def _drawn(lost: Lost, chance: random.Random) -> str:
    """An observation as JSON, with marks where its times belong."""
    continuity = _continuity()
    meta = {"taken_at": START.isoformat(), "started_at": (START - LOOKING).isoformat()}
    probes = {host: _probe(continuity, host, lost, chance) for host in deployment.observers(continuity)}
    text = json.dumps(to_observation(continuity, probes, meta))
    return text.replace(meta["started_at"], "@started").replace(meta["taken_at"], "@taken")


def _continuity() -> dict[str, Any]:
    variables = yaml.safe_load((EXAMPLE / "group_vars" / "all" / "continuity.yml").read_text())
    groups = yaml.safe_load((EXAMPLE / "hosts.yml").read_text())["all"]["children"].values()
    addresses = {name: data["ansible_host"] for group in groups for name, data in group["hosts"].items()}
    checked, problems = check_deployment(variables, addresses.get)
    if problems:
        raise ValueError(problems)
    return checked


def _probe(continuity: Mapping[str, Any], host: str, lost: Lost, chance: random.Random) -> dict[str, Any]:
    checks = probe_checks(continuity, host)
    if all(lost(host, check) for check in checks):
        return {"reached": False}
    answers = [_gateway if check["kind"] == "gateway" else _answer for check in checks]
    return {"reached": True, "answers": [answer(host, check, lost, chance) for answer, check in zip(answers, checks)]}


def _answer(host: str, check: Mapping[str, Any], lost: Lost, chance: random.Random) -> dict[str, Any]:
    standby = check["about"] == "ams"
    more: dict[str, Any] = {}
    if check["kind"] == "monitoring_page":
        more = {"run_mode": "primary" if check["part"].endswith("-a") else "backup"}
    elif check["kind"] == "database":
        more = {"role": "standby" if standby else "primary", "lag": 512}
    closed = standby and check["signal"] == "master"
    return {"id": check["id"], "kind": check["kind"], **_word(lost(host, check), closed, chance), **more}


def _gateway(host: str, check: Mapping[str, Any], lost: Lost, chance: random.Random) -> dict[str, Any]:
    words = {name: _word(lost(host, {**check, "about": name}), False, chance) for name in check["sites"]}
    targets = {name: {**word, "options": word["value"]} for name, word in words.items()}
    best = max(words.values(), key=lambda word: bool(word["answered"]))
    return {"id": check["id"], "kind": check["kind"], **best, "targets": targets, "prefers": "fra"}


def _word(lost: bool, closed: bool, chance: random.Random) -> dict[str, Any]:
    if lost:
        return {"value": "down", "answered": False, "detail": "no final response to 6 sendings"}
    value, detail = ("down", "connection refused") if closed else ("up", "200 OK")
    return {"value": value, "answered": True, "detail": detail, "rtt": chance.uniform(0.0004, 0.03)}
