# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state of `track` that was dated by a clock ahead of the present, taken over by one that is right. Pure.

Each time of the state that lies in the future becomes now. Their order stays: what was acknowledged before a failover
does not answer for it. What waits (`confirm`, `hold`, `cooldown`) waits anew from now, never shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import plain_time, time_text

STEP = timedelta(microseconds=1)
"""What parts two times of the future that become now: the smallest step that a state can tell."""


def pulled(state: Mapping[str, Any], observation: Mapping[str, Any]) -> dict[str, Any]:
    """The state as `track` takes it with this observation; the same where nothing of it lies in the future."""
    now = plain_time(observation["taken_at"])
    if now is None:
        return dict(state)
    ahead = sorted({at for at in _times(state) if at > now}, reverse=True)
    texts = {at: time_text(now - rank * STEP) for rank, at in enumerate(ahead)}
    return {key: _with(value, texts) for key, value in state.items()}


def _times(value: object) -> Iterator[datetime]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _times(each)
    at = plain_time(value)
    if at is not None:
        yield at


def _with(value: Any, texts: Mapping[datetime, str]) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, Mapping):
        return {key: _with(each, texts) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with(each, texts) for each in value]
    at = plain_time(value)
    return value if at is None else texts.get(at, value)
