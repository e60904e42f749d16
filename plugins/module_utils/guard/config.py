# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's configuration on its host, `/etc/sip-dr/guard.json`: whom it guards, and its times in seconds."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

PATH = "/etc/sip-dr/guard.json"
RUNNING = "/run/sip-dr/guard.json"
"""What the guard that runs was started with: whom to kill when it ends, whatever lies under `PATH` by then."""
MARKER = "SIP_DR_GUARDED"
"""Environment variable that tells a process started through the wrapper, and all that it starts."""

TIMES: Dict[str, float] = {"hold": 10, "margin": 1, "renew": 0.5, "watchdog": 2, "sync_degrade": 10}
OTHERS: Dict[str, Any] = {
    "replication": "async",
    "sync_names": "*",
    "settings": "/etc/sip-dr/etcd.json",
    "marker": MARKER,
    "start": [],
    "database": None,
}
KILLING, DRIFT = 0.2, 0.01
"""Seconds that killing takes, and by how much two clocks may differ: as in the policy's own check."""
UNIT = re.compile(r"^[^/\s]+\.service$")
NEEDED = ("site", "host", "hosts", "writers")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the key and what was expected."""


class Writer(NamedTuple):
    """A unit that writes; a database has the file in its data directory that makes its server a standby."""

    unit: str
    standby_signal: Optional[str] = None


class Config(NamedTuple):
    """All of it, as `parse` checked it. `database` is the option of the same name of the module config_database."""

    site: str
    host: str
    hosts: Tuple[str, ...]
    writers: Tuple[Writer, ...]
    hold: float
    margin: float
    renew: float
    watchdog: float
    sync_degrade: float
    replication: str
    sync_names: str
    settings: str
    marker: str
    start: Tuple[str, ...]
    database: Optional[Mapping[str, Any]]


def parse(given: Mapping[str, Any]) -> Config:
    """Return the configuration with its defaults. Raises ConfigError."""
    unknown = set(given) - set(Config._fields)
    missing = [key for key in NEEDED if not given.get(key)]
    if unknown or missing:
        raise ConfigError(f"guard: unknown {sorted(unknown) or 'nothing'}, missing {missing or 'nothing'}")
    words = {**OTHERS, **TIMES, **given}
    words.update({key: _time(key, words[key]) for key in TIMES})
    words.update(hosts=tuple(words["hosts"]), start=tuple(words["start"]), writers=_writers(words["writers"]))
    config = Config(**words)
    for problem in _problems(config):
        raise ConfigError(f"guard: {problem}")
    return config


def read(path: str = PATH) -> Config:
    """Return the configuration of this host. Raises ConfigError, OSError."""
    try:
        return parse(json.loads(Path(path).read_text(encoding="utf-8")))
    except (AttributeError, TypeError, ValueError) as error:
        raise error if isinstance(error, ConfigError) else ConfigError(f"{path}: {error}") from None


def begin(path: str = PATH, running: str = RUNNING) -> Config:
    """Return the configuration and keep a copy of it for as long as this guard runs. Raises ConfigError, OSError."""
    config, text = read(path), Path(path).read_bytes()
    # Without a copy, or with half of one, what lies under the path then must do.
    with contextlib.suppress(OSError), open(running, "wb", opener=_for_root_alone) as copy:
        copy.write(text)
    return config


def _for_root_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def outlives(config: Config) -> float:
    """Return for how many seconds a ticket must stand still until a guard with these times has killed (decision.md)."""
    return config.hold - config.margin + config.watchdog + KILLING + DRIFT * config.hold


def _time(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ConfigError(f"guard: {key}: expected seconds above 0, found {value!r}")
    return float(value)


def _writers(given: List[Mapping[str, Any]]) -> Tuple[Writer, ...]:
    try:
        return tuple(Writer(**one) for one in given)
    except TypeError as error:
        raise ConfigError(f"guard: writers: expected unit and perhaps standby_signal in each ({error})") from None


def _problems(config: Config) -> List[str]:
    problems = []
    if config.host not in config.hosts:
        problems.append(f"hosts: {config.host} is not among {', '.join(config.hosts)}")
    if config.hold <= config.margin + 2 * config.renew:
        problems.append("hold: must be more than margin and two renewals")
    if config.replication not in ("sync", "async"):
        problems.append(f"replication: expected sync or async, found {config.replication!r}")
    if config.replication == "sync" and config.database is not None and "*" in config.sync_names:
        # Any replica would do for a commit, and the ticket would promise that the other site has it.
        problems.append("sync_names: with replication sync, expected the application_name of the other site's standby")
    paths = [config.settings, *(writer.standby_signal for writer in config.writers if writer.standby_signal)]
    words = [*paths, *config.start, *(writer.unit for writer in config.writers)]
    problems += [f"{path!r}: expected an absolute path" for path in paths if not path.startswith("/")]
    problems += [f"{word!r}: control characters cannot stand in a unit" for word in words if not word.isprintable()]
    units = [word for word in words if word not in paths]
    problems += [f"{unit!r}: expected the whole name of a unit" for unit in units if not UNIT.match(unit)]
    return problems
