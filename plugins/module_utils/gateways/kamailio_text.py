# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kamailio's configuration files say about its dispatcher: the RPC tells neither ping interval nor probing mode.

Sources: Kamailio 5.6 core cookbook (include_file, import_file, define, substdef, modparam); modules/dispatcher,
sections 3 "Parameters" (ds_ping_interval, ds_probing_mode, ds_ping_reply_codes).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set

_INCLUDE = re.compile(r'^\s*[#!]{0,2}(include_file|import_file)\s+"([^"]+)"')
_DEFINE = re.compile(r"^\s*[#!]!define\s+(\w+)\s+(.+?)\s*$")
_SUBSTDEF = re.compile(r'^\s*[#!]!substdefs?\s+"(.)(\w+)\1(.*)\1[a-z]*"')
_MODPARAM = re.compile(r'^\s*modparam\(\s*"([^"]+)"\s*,\s*"(\w+)"\s*,\s*(?:"([^"]*)"|([^\s,)]+))\s*\)')


def dispatcher_settings(config_file: Path) -> Optional[Dict[str, str]]:
    """Return the dispatcher's modparams by name, as the files set them; None when the main file cannot be read.

    Both branches of an `#!ifdef` are read: the last one wins.
    """
    try:
        lines = list(_lines(config_file, set()))
    except OSError:
        return None
    names = _names(lines)
    found: Dict[str, str] = {}
    for line in lines:
        setting = _MODPARAM.match(line)
        if setting and "dispatcher" in setting[1].split("|"):
            value = setting[3] if setting[3] is not None else setting[4]
            found[setting[2]] = re.sub(r"\w+", lambda word: names.get(word[0], word[0]), value)
    return found


def accepts_timeout(reply_codes: str) -> bool:
    """Tell whether `ds_ping_reply_codes` takes a dead target for alive: 408 is what tm says when nobody answers."""
    return any(code.strip() in ("class=4", "code=408") for code in reply_codes.split(";"))


def _lines(path: Path, seen: Set[Path]) -> Iterator[str]:
    seen.add(path)
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        include = _INCLUDE.match(line)
        if not include:
            yield line
            continue
        inner = path.parent / include[2]
        if inner not in seen and (inner.is_file() or include[1] == "include_file"):
            yield from _lines(inner, seen)


def _names(lines: List[str]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for line in lines:
        define, substdef = _DEFINE.match(line), _SUBSTDEF.match(line)
        if define:
            found[define[1]] = define[2].strip('"')
        if substdef:
            found[substdef[2]] = substdef[3]
    return found
