# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing options of one object so that nobody's work is lost: read, change, read again, write, read back.

No interface of the Configuration Layer that we know offers a compare-and-write. So everything that was read is compared
once more just before the write: what differs was changed by somebody else meanwhile, and is refused. What is left is
the time of one request; what the write itself made different from what was asked is seen when it is read back.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Set

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    ConfigurationLayer,
    Key,
    LayerError,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

Options = Dict[Key, Optional[str]]
MOST_NAMED = 5


class LostRaceError(RefusedError):
    """Somebody else changed the object between the reading and the write; nothing was written."""

    def __init__(self, target: Target, differing: List[str]) -> None:
        """Name the object and what differs."""
        super().__init__(
            guard="nobody else changes the object meanwhile",
            evidence=f"{target} was changed by somebody else just now: {_words(differing)}",
            way="run it again: it is read anew",
        )


class Changed(NamedTuple):
    """Options before and after; None is an option that is not set."""

    before: Options
    after: Options


def nothing() -> None:
    """Do nothing before the write."""


def change(
    layer: ConfigurationLayer,
    target: Target,
    wanted: Mapping[Key, Optional[str]],
    just_before: Callable[[], None] = nothing,
    dry: bool = False,
    seen: Optional[Dict[str, Any]] = None,
) -> Changed:
    """Set options of one object (None: remove them). What stands so already is not written; with `dry`, nothing is.

    seen: the object as it was read earlier, where something was concluded from that; it must still be so. just_before:
    called when it is certain that something will be written; it may raise. Raises LostRaceError when the object was
    changed by somebody else meanwhile, LayerError when the write is refused or changed something else.
    """
    first = seen if seen is not None else layer.read(target)
    before = _picked(layer, target, first, wanted)
    if dry or before == dict(wanted):
        return Changed(before, dict(wanted))
    again = layer.read(target)
    if again != first:
        options = _changed_options(layer, target, first, again, set())
        raise LostRaceError(target, options or differences(first, again))
    just_before()
    layer.write(target, layer.with_options(target, again, wanted))
    _read_back(layer, target, again, wanted)
    return Changed(before, dict(wanted))


def differences(one: Any, other: Any, path: str = "") -> List[str]:  # noqa: ANN401  any JSON
    """Return the paths at which two JSON values differ, in order; what stands there is not told."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(set(one) | set(other))
        return [found for name in names for found in differences(one.get(name), other.get(name), f"{path}.{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other))
        return [found for at, (mine, its) in pairs for found in differences(mine, its, f"{path}[{at}]")]
    return [] if one == other else [path.lstrip(".") or "all of it"]


def _read_back(
    layer: ConfigurationLayer, target: Target, before: Mapping[str, Any], wanted: Mapping[Key, Optional[str]]
) -> None:
    found = layer.read(target)
    seen = _picked(layer, target, found, wanted)
    if seen != dict(wanted):
        told = "; ".join(f"[{key[0]}] {key[1]} reads {value!r}" for key, value in seen.items() if value != wanted[key])
        raise LayerError(f"{target} was written, but {told}")
    others = _changed_options(layer, target, before, found, set(wanted))
    if others:
        raise LayerError(f"{target} was written, and reads otherwise in {_words(others)} too, which was not asked")


def _changed_options(
    layer: ConfigurationLayer, target: Target, old: Mapping[str, Any], new: Mapping[str, Any], but: Set[Key]
) -> List[str]:
    one, other = layer.options(target, old), layer.options(target, new)
    keys = sorted((set(one) | set(other)) - but)
    return [f"[{section}] {key}" for section, key in keys if one.get((section, key)) != other.get((section, key))]


def _picked(
    layer: ConfigurationLayer, target: Target, found: Mapping[str, Any], wanted: Mapping[Key, Optional[str]]
) -> Options:
    options = layer.options(target, found)
    return {key: options.get(key) for key in wanted}


def _words(names: List[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
