# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what each kind of host gets: the modules of ``two_site_lab.setup``."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from two_site_lab.model import Host, HostSetup, Topology

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

# In this order their start hooks run: calls need what stands before them.
KINDS = ("coordination", "cfg", "sip", "gw", "pstn", "phones", "witness")
# What lies on hosts of several kinds: each says by itself on which.
SHARED = ("coordination", "guard")


def module(kind: str) -> ModuleType:
    """The module of a kind of host, or of what several kinds share."""
    return importlib.import_module(f"two_site_lab.setup.{kind}")


def host_setup(host: Host, topology: Topology) -> HostSetup:
    """What lies on this host beyond the image, and which units start at its boot."""
    parts: list[HostSetup] = [module(name).setup(host, topology) for name in (host.kind, *SHARED)]
    return HostSetup(
        files=[file for part in parts for file in part.files],
        enable=[unit for part in parts for unit in part.enable],
        directories=[directory for part in parts for directory in part.directories],
    )


def speaks_tls(host: Host) -> bool:
    """Whether the host has a certificate: members of the coordination service, and gateways that are asked by HTTPS."""
    return host.kind in ("cfg", "witness") or host.make == "audiocodes"


def start_all(lab: Lab) -> None:
    """Run each kind's ``start(lab)``, once after all hosts are up."""
    for kind in KINDS:
        hook = getattr(module(kind), "start", None)
        if hook:
            hook(lab)


def waiting_for(lab: Lab) -> list[str]:
    """What the ``ready(lab)`` hook of the first kind that is not ready still misses, in words.

    No further one is asked: a question costs the hosts that are starting, and what comes later waits for it anyway.
    """
    for kind in KINDS:
        hook = getattr(module(kind), "ready", None)
        missing: list[str] = hook(lab) if hook else []
        if missing:
            return missing
    return []


def inventory_variables(topology: Topology) -> dict[str, str]:
    """What the kinds' ``inventory_variables(topology)`` hooks add to the inventory beside the deployment's data."""
    variables: dict[str, str] = {}
    for kind in KINDS:
        hook = getattr(module(kind), "inventory_variables", None)
        variables |= hook(topology) if hook else {}
    return variables
