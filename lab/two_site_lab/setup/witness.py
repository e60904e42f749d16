# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The third place: nothing runs there but sshd, for whoever looks from it."""

from __future__ import annotations

from two_site_lab.model import Host, HostSetup, Topology


def setup(host: Host, topology: Topology) -> HostSetup:
    """Nothing beyond the image."""
    return HostSetup()
