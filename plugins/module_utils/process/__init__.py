# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process control: whether a program of the site runs on this host, starting it, and stopping it so that it is seen."""

from __future__ import annotations

from typing import NamedTuple, Protocol, Tuple


class ProcessError(Exception):
    """A program did not start or stop as it was asked; the message says what was seen instead."""


class UnitState(NamedTuple):
    """One program as its host sees it."""

    name: str
    installed: bool
    active: str
    """The manager's word for it: active, activating, inactive, failed, …"""
    pids: Tuple[int, ...]
    """Every living process of the program, whoever started it within its unit."""
    pending: bool
    """Whether the manager still has an order for it to carry out."""
    why: str
    """What the manager says of the last start or stop."""

    @property
    def running(self) -> bool:
        """Whether it is in service."""
        return self.active == "active"

    @property
    def stopped(self) -> bool:
        """Whether nothing of it runs and nothing is on its way up."""
        return self.active in ("inactive", "failed") and not self.pids


class ProcessDriver(Protocol):
    """What a process driver can do on this host."""

    def state(self, name: str) -> UnitState:
        """Return how a program stands."""

    def start(self, name: str) -> UnitState:
        """Start it and return how it stands once it runs. Raises ProcessError when it does not."""

    def stop(self, name: str) -> UnitState:
        """Stop it and return how it stands once nothing of it runs. Raises ProcessError when something does."""
