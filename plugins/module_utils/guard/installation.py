# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the guard lays on a host, as one pure function of its configuration.

Not among it are the coordination client's settings (`/etc/sip-dr/etcd.json`): they hold a password.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import (
    config as configuration,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import (
    daemon,
    ending,
    fresh,
    wrapper,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config, Writer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import ASKING

LIBRARY = "/usr/local/lib/sip-dr"
PROGRAMS = "/usr/local/sbin/"
UNITS = "/etc/systemd/system/"
UNIT = "sip-dr-guard.service"
OURS = "ansible_collections.contactcenter.sip_dr.plugins.module_utils"
FRESH = ASKING.decode()

SCRIPT = """#!/usr/bin/python3 -IS
import sys

sys.path.insert(0, "{library}")
from {module} import main

sys.exit(main(sys.argv[1:]{more}))
"""

GUARD_UNIT = """[Unit]
Description=Guard of the Configuration Server's writers (sip-dr)
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={programs}sip-dr-guard
# However the guard ends, its writers end with it, and first.
ExecStopPost={programs}sip-dr-guard-ended
WatchdogSec={watchdog}s
WatchdogSignal=SIGKILL
TimeoutStopSec=10s
Restart=always
RestartSec=500ms
RuntimeDirectory=sip-dr
RuntimeDirectoryMode=0755
OOMScoreAdjust=-1000
LimitMEMLOCK=infinity

[Install]
WantedBy=multi-user.target
"""

DATABASE_DROP_IN = """[Unit]
Wants={guard}
After={guard}

[Service]
# A writer needs a lease; a standby may always start.
ExecCondition=+{fresh} --or-standby {signal}
"""

WRITER_DROP_IN = """[Unit]
BindsTo={guard}
After={guard}

[Service]
ExecCondition=+{fresh}
"""


class HostFile(NamedTuple):
    """What lies under a path, owned by root."""

    content: str
    mode: int


def files(config: Mapping[str, Any]) -> Dict[str, HostFile]:
    """Return every file of the guard, by absolute path. Raises ConfigError for what cannot be a configuration."""
    parsed = configuration.parse(config)
    laid = {f"{LIBRARY}/{path}": HostFile(text, 0o644) for path, text in package().items()}
    laid.update({PROGRAMS + name: HostFile(text, 0o755) for name, text in _scripts(parsed).items()})
    laid.update({UNITS + name: HostFile(text, 0o644) for name, text in _units(parsed).items()})
    laid[configuration.PATH] = HostFile(json.dumps(_plain(parsed), indent=1, sort_keys=True) + "\n", 0o600)
    return laid


def package() -> Dict[str, str]:
    """Return the source of every module that the guard's programs need, by path below the library."""
    found: Dict[str, str] = {}
    waiting = [module.__name__ for module in (daemon, ending, fresh, wrapper)]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if path is None or path in found:
            continue
        found[path] = _source(name)
        waiting += _parents(name)
        waiting += _imported(found[path])
    return found


def _path(name: str) -> Optional[str]:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    return name.replace(".", "/") + ("/__init__.py" if spec.submodule_search_locations is not None else ".py")


def _source(name: str) -> str:
    # An Ansible module runs from an archive: only its loader can read the source.
    loader: Any = getattr(importlib.util.find_spec(name), "loader", None)
    text = loader.get_source(name) if name.startswith(OURS) and hasattr(loader, "get_source") else ""
    return str(text or "")


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            yield node.module
            # What is taken from a package may be a module of it.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if _is_package(node.module))


def _is_package(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def _scripts(config: Config) -> Dict[str, str]:
    marker = f", marker={config.marker!r}"
    return {
        "sip-dr-guard": _script(daemon.__name__),
        "sip-dr-guard-ended": _script(ending.__name__),
        "sip-dr-fresh": _script(fresh.__name__),
        "sip-dr-guarded": _script(wrapper.__name__, marker),
    }


def _script(module: str, more: str = "") -> str:
    return SCRIPT.format(library=LIBRARY, module=module, more=more)


def _units(config: Config) -> Dict[str, str]:
    units = {UNIT: GUARD_UNIT.format(programs=PROGRAMS, watchdog=f"{config.watchdog:g}")}
    units.update({f"{writer.unit}.d/sip-dr-guard.conf": _drop_in(writer) for writer in config.writers})
    return units


def _drop_in(writer: Writer) -> str:
    if writer.standby_signal is None:
        return WRITER_DROP_IN.format(guard=UNIT, fresh=FRESH)
    return DATABASE_DROP_IN.format(guard=UNIT, fresh=FRESH, signal=quoted(writer.standby_signal))


def quoted(word: str) -> str:
    """Return a word as systemd reads it back from a command line (systemd.service(5), "Command lines")."""
    for special, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(special, written)
    return f'"{word}"'


def _plain(config: Config) -> Dict[str, Any]:
    plain: Dict[str, Any] = config._asdict()
    writers: List[Dict[str, Any]] = [writer._asdict() for writer in config.writers]
    return dict(plain, writers=[{key: value for key, value in one.items() if value} for one in writers])
