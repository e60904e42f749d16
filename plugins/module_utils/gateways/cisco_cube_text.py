# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Cisco CUBE prints and takes, as text only: configuration sections, tables, and the lines that change them.

Only the lines in which a preference order lies are ever changed. Each has a *slot* in its section: `preference` and
`shutdown` of a dial-peer, `ipv4 10.1.0.10:5060` for an entry of a server group. Defaults (`preference 0`,
`no shutdown`) are not shown by IOS, and so are empty slots.
Sources: Cisco "Voice Command Reference" (preference, shutdown, voice class server-group, show dial-peer voice),
"CUBE Configuration Guide, SIP Out-of-Dialog OPTIONS Ping Group", and "Understand IOS and IOS XE Call Routing" (211306).
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

Config = Dict[str, List[str]]
"""The lines of each section, without the indent, by the section's first line."""
Slots = Dict[str, str]
"""The line that stands in each slot of a section."""

PEER = re.compile(r"^dial-peer voice (?P<tag>\d+) voip$")
GROUP = re.compile(r"^voice class server-group (?P<tag>\d+)$")
PROFILE = re.compile(r"^voice class sip-options-keepalive (?P<tag>\d+)$")

_ENTRY = re.compile(
    r"^(?P<kind>ipv4|ipv6|dns) (?P<address>\S+)(?: port (?P<port>\d+))?(?: preference (?P<preference>\d+))?$"
)
# What of a section is shown: never a line that may hold a secret (authentication … password …).
_SHOWN = ("description", "preference", "shutdown", "destination-pattern", "destination", "session", "hunt-scheme") + (
    "huntstop",
    "ipv4",
    "ipv6",
    "dns",
)
# Where IOS shows the two lines of a dial-peer that change.
_FIRST = ("description", "translation-profile", "preference", "shutdown")
_SLOTS = ("shutdown", "preference")
_KEEPALIVE = ("active", "busyout", "partial")
KEEPALIVE_DEFAULTS = {"up-interval": 60, "down-interval": 30, "retry": 5}
"""Of voice class sip-options-keepalive: two times in s, and a count."""


def sections(text: str) -> Config:
    """Return the sections of `show running-config | section …`; what belongs to no section is left out."""
    found: Config = {}
    lines: List[str] = []
    for line in text.splitlines():
        if line.strip() in ("", "!"):
            continue
        if not line.startswith(" "):
            lines = found.setdefault(line.strip(), [])
        else:
            lines.append(line.strip())
    return {header: lines for header, lines in found.items() if any(at.match(header) for at in (PEER, GROUP, PROFILE))}


def shown(config: Mapping[str, Sequence[str]], headers: Sequence[str]) -> str:
    """Return these sections as the device prints them, with nothing but the lines that say where calls go."""
    parts = [[header, *(f" {line}" for line in config[header] if line.split()[0] in _SHOWN)] for header in headers]
    return "".join(line + "\n" for part in parts for line in part)


def slot_of(header: str, line: str) -> Optional[str]:
    """Return the slot in which a line stands, or None for a line that is never changed."""
    if PEER.match(header):
        return line.split()[0] if re.match(r"preference \d+$|shutdown$", line) else None
    entry = _ENTRY.match(line)
    return _slot(entry["kind"], entry["address"], entry["port"]) if entry else None


def _slot(kind: str, address: str, port: Optional[str]) -> str:
    """IOS writes an IPv6 address in its own way: two ways of writing it are one slot."""
    if kind == "ipv6":
        with suppress(ValueError):
            address = str(ipaddress.IPv6Address(address))
    return f"{kind} {address}:{port or 5060}"


def slots(header: str, lines: Sequence[str]) -> Slots:
    """Return the section's lines that may change, by their slot."""
    placed = [(slot_of(header, line), line) for line in lines]
    return {slot: line for slot, line in placed if slot}


def entry_slot(value: str) -> str:
    """Return the slot of a server group entry that is given as address, address:port or [IPv6 address]:port."""
    bracketed = re.match(r"^\[(?P<address>[^]]+)](?::(?P<port>\d+))?$", value)
    if bracketed or value.count(":") > 1:
        address, port = (bracketed["address"], bracketed["port"]) if bracketed else (value, None)
        return _slot("ipv6", address, port)
    address, _colon, port = value.partition(":")
    kind = "ipv4" if re.match(r"^[\d.]+$", address) else "dns"
    return _slot(kind, address, port)


def number(line: str) -> int:
    """Return the preference that a line sets; without one it is 0, the most preferred."""
    found = re.search(r"(?:^| )preference (\d+)$", line)
    return int(found[1]) if found else 0


def with_number(slot: str, line: str, preference: int) -> str:
    """Return the line of that slot with another preference; empty where IOS would show none."""
    if slot == "preference":
        return f"preference {preference}" if preference else ""
    entry = re.sub(r" preference \d+$", "", line) or re.sub(r":(\d+)$", r" port \1", slot)
    return f"{entry} preference {preference}" if preference else entry


def changed(header: str, lines: Sequence[str], wanted: Mapping[str, str], order: Sequence[str] = ()) -> List[str]:
    """Return the section with other lines in its slots; an empty line takes what stands there out.

    IOS shows a group's entries in the order in which they were typed: those that change come last, unless `order` has
    the slots of a wanted order.
    """
    if GROUP.match(header):
        return _with_entries(header, lines, wanted, order)
    left = dict(wanted)
    found = []
    for line in lines:
        line = left.pop(slot_of(header, line) or "", line)
        found += [line] if line else []
    for slot in [slot for slot in _FIRST if left.get(slot)]:
        before = _FIRST[: _FIRST.index(slot)]
        place = max((at + 1 for at, line in enumerate(found) if line.split()[0] in before), default=0)
        found.insert(place, left[slot])
    return found


def _with_entries(header: str, lines: Sequence[str], wanted: Mapping[str, str], order: Sequence[str]) -> List[str]:
    old = slots(header, lines)
    new = {slot: line for slot, line in {**old, **wanted}.items() if line}

    def turn(slot: str) -> Tuple[int, int]:
        if order:
            return (order.index(slot) if slot in order else len(order), 0)
        # The one with the largest number is moved first: the preferred stands while the other is away.
        return (0, 0) if old.get(slot) == new[slot] else (1, -number(new[slot]))

    entries = [new[slot] for slot in sorted(new, key=turn)]
    rest = [line for line in lines if not slot_of(header, line)]
    at = next((at for at, line in enumerate(lines) if slot_of(header, line)), len(rest))
    return rest[:at] + entries + rest[at:]


def push(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> List[str]:
    """Return the configuration lines that lead from one text to the other: the difference, and nothing more.

    Among dial-peers, what opens a target or orders targets comes first, what shuts one down last.
    """
    steps: List[Tuple[bool, str, str]] = []
    for header, lines in after.items():
        of_section = _entry_lines if GROUP.match(header) else _peer_lines
        new = of_section(header, before.get(header, []), lines)
        steps += [(line == "shutdown", header, line) for line in new]
    found, at = [], ""
    for _last, header, line in sorted(steps, key=lambda step: step[0]):
        found += [line] if header == at else [header, line]
        at = header
    return found


def _peer_lines(header: str, before: Sequence[str], after: Sequence[str]) -> List[str]:
    old, new = slots(header, before), slots(header, after)
    return [new.get(slot) or f"no {slot}" for slot in _SLOTS if old.get(slot) != new.get(slot)]


def _entry_lines(header: str, before: Sequence[str], after: Sequence[str]) -> List[str]:
    """Return the lines that rewrite a group's entries, one after the other: each is away only for an instant."""
    old, new = slots(header, before), slots(header, after)
    stands = list(old.values())
    left = list(new)
    while left and new[left[0]] in stands:
        stands = stands[stands.index(new[left[0]]) + 1 :]
        left.pop(0)
    found = [line for slot in left for line in (f"no {old.get(slot, '')}", new[slot]) if line != "no "]
    return found + [f"no {line}" for slot, line in old.items() if slot not in new]


def numbers(first: Sequence[int], second: Sequence[int], highest: int, keep_first: bool) -> Dict[str, Dict[int, int]]:
    """Return new preferences for old ones so that all of `first` come before all of `second` (lower is preferred).

    An order that stands keeps its numbers. With `keep_first` only `second` is moved, behind `first`, while there is
    room under `highest`; else the two share the numbers that they have, and further ones where those are too few.
    """
    one, two = sorted(set(first)), sorted(set(second))
    if two and one[-1] >= two[0]:
        if keep_first and one[-1] + len(two) <= highest:
            places = one + [one[-1] + 1 + at for at in range(len(two))]
        else:
            places = _places(sorted(set(one + two)), len(one) + len(two), highest)
        return {"first": dict(zip(one, places)), "second": dict(zip(two, places[len(one) :]))}
    return {"first": {at: at for at in one}, "second": {at: at for at in two}}


def _places(used: List[int], count: int, highest: int) -> List[int]:
    above = list(range(used[-1] + 1, highest + 1))
    below = list(range(used[0] - 1, -1, -1))
    between = [at for at in range(used[0], used[-1]) if at not in used]
    free = used + between + below + above
    if len(free) < count:
        raise ValueError(f"{count} preferences of 0 to {highest} expected, there are {len(free)}")
    return sorted(free[:count])


def summary(text: str) -> Dict[str, Dict[str, str]]:
    """Return `{tag: {admin, oper, keepalive}}` from `show dial-peer voice summary`, in both layouts of its header.

    A word belongs to the column over its first letter. Raises ValueError naming the column that is not there.
    """
    lines = text.splitlines()
    at = next((at for at, line in enumerate(lines) if line.startswith("TAG ")), None)
    if at is None:
        raise ValueError("show dial-peer voice summary: a header with the column TAG expected, none found")
    columns = {name: lines[at].find(name) for name in ("TAG", "MIN", "OPER", "PREFIX", "THRU", "KEEPALIVE")}
    missing = [name for name, offset in columns.items() if offset < 0]
    if missing:
        raise ValueError(f"show dial-peer voice summary: column {', '.join(missing)} expected, not found")
    return {tag: _row(line, columns) for tag, line in _unwrapped(lines[at + 1 :]) if tag.isdigit()}


def _unwrapped(lines: Sequence[str]) -> List[Tuple[str, str]]:
    """Return each row with its tag. A tag too long for its column goes on in the next line (`39275-` and `82`)."""
    found: List[Tuple[str, str]] = []
    begun, before = "", ""
    for line in lines:
        tag = line.split()[0] if line.strip() else ""
        if re.match(r"^\d+-$", tag):
            begun, before = tag[:-1], line
            continue
        found.append((begun + tag, max(before, line, key=lambda part: len(part.split()))))
        begun, before = "", ""
    return found


def _row(line: str, columns: Mapping[str, int]) -> Dict[str, str]:
    words = [(word.start(), word[0]) for word in re.finditer(r"\S+", line)]

    def under(name: str, until: str) -> str:
        return next((word for start, word in words if columns[name] <= start < columns[until]), "")

    # A long target pushes what follows it to the right: the last column is found by its words.
    behind = [word for start, word in words if start > columns["THRU"] and word in _KEEPALIVE]
    return {"admin": under("MIN", "OPER"), "oper": under("OPER", "PREFIX"), "keepalive": behind[-1] if behind else ""}


def keepalive_status(text: str) -> Dict[str, Dict[str, str]]:
    """Return `{tag: {destination: status}}` from `show dial-peer voip keepalive status`; no status is empty."""
    found: Dict[str, Dict[str, str]] = {}
    tag = ""
    for line in text.splitlines():
        words = line.split()
        own = re.match(r"^ {0,4}(\d+)\s", line)
        if own:
            tag, words = own[1], words[2:]
        if tag and words and ":" in words[0]:
            found.setdefault(tag, {})[words[0]] = words[-1] if words[-1] in _KEEPALIVE else ""
    return found


def keepalive_of(config: Mapping[str, Sequence[str]], header: str) -> Optional[Dict[str, int]]:
    """Return up-interval and down-interval (s) and retry of a dial-peer's keep-alive; None when it has none.

    A profile that is shut down or not there counts as none.
    """
    line = next((line for line in config[header] if line.startswith("voice-class sip options-keepalive")), None)
    if line is None:
        return None
    profile = re.search(r" profile (\d+)$", line)
    if not profile:
        return _intervals([line])
    lines = config.get(f"voice class sip-options-keepalive {profile[1]}")
    return None if lines is None or "shutdown" in lines else _intervals(lines)


def _intervals(lines: Sequence[str]) -> Dict[str, int]:
    text = " ".join(lines)
    found = {name: re.search(rf"\b{name} (\d+)", text) for name in KEEPALIVE_DEFAULTS}
    return {name: int(match[1]) if match else KEEPALIVE_DEFAULTS[name] for name, match in found.items()}
