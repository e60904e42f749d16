# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg knows: its run mode, its Business Continuity options, its inter-site trunk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standins.sip_server.kamailio_rpc import Kamailio
from standins.sip_server.settings import Settings

LOCAL_ADDRESSES = Path("/proc/net/fib_trie")


@dataclass(frozen=True)
class Trunk:
    """The inter-site Trunk DN: in service, since when (seconds of the epoch), times it was found out of service."""

    in_service: bool
    since: int
    oos_count: int
    forwarded: int


def holds_address(address: str, local_addresses: str) -> bool:
    """Is ``address`` one of this host's, by the text of /proc/net/fib_trie?

    Binding a socket to it would prove nothing: a host of the lab may bind addresses that it does not have.
    """
    lines = [line.strip() for line in local_addresses.splitlines()]
    return any(
        line == f"|-- {address}" and follower.startswith("/32 host LOCAL")
        for line, follower in zip(lines, lines[1:], strict=False)
    )


def is_peer_trunk(value: str | None) -> bool:
    """Does a value of ``dr-peer-trunk`` name a trunk? The default is NULL; how that is written is not documented."""
    return bool(value) and str(value).upper() != "NULL"


class Leg:
    """One SIP Server of the pair. The options are changed by the Configuration Server link and by nobody else."""

    def __init__(self, settings: Settings, kamailio: Kamailio) -> None:
        """Begin with the options that the settings give."""
        self.settings = settings
        self.kamailio = kamailio
        self.dr_peer_trunk: str | None = settings.dr_peer_trunk
        self.dr_forward = settings.dr_forward

    @property
    def is_primary(self) -> bool:
        """Does this leg hold the virtual address?"""
        return holds_address(self.settings.shared_address, LOCAL_ADDRESSES.read_text())

    @property
    def forwards(self) -> bool:
        """May a call that cannot be delivered here go to the peer?"""
        return is_peer_trunk(self.dr_peer_trunk) and self.dr_forward not in ("off", "")

    async def trunk(self) -> Trunk:
        """The Trunk DN as Kamailio's own pings left it."""
        items = await self.kamailio.numbers("trunk")
        since, found, forwarded = (items.get(key, 0) for key in ("since", "oos_count", "forwarded"))
        return Trunk(bool(items.get("in_service")), since, found, forwarded)

    async def agents(self) -> set[str]:
        """The DNs whose agents are logged in at this site."""
        return {dn for dn, logged_in in (await self.kamailio.numbers("agents")).items() if logged_in}

    async def set_agent(self, dn: str, logged_in: bool) -> None:
        """Log an agent in or out at both legs; a 0 reaches the other leg, the deletion of an item does not."""
        await self.kamailio.set_number("agents", dn, int(logged_in))

    async def is_peered(self) -> bool:
        """Business Continuity in force: a peer trunk is set and in service. Otherwise this is single-site mode."""
        return is_peer_trunk(self.dr_peer_trunk) and (await self.trunk()).in_service

    async def apply_options(self) -> None:
        """Tell Kamailio; done again and again, since a Kamailio that was restarted has forgotten."""
        await self.kamailio.set_number("option", "forward", int(self.forwards))
