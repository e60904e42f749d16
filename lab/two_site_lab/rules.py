# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's nftables rules for a set of link faults. Pure: text out of data."""

from __future__ import annotations

from collections.abc import Iterable

from two_site_lab.errors import LabError
from two_site_lab.faults import LINK_KINDS, Fault
from two_site_lab.model import Topology

# The rule on ct state makes the kernel track flows from the start: a later `ct state new` then knows the old ones.
# Without the drop of ICMP unreachable the router would betray a dead host: real ones are silent.
RULES = """table inet lab
delete table inet lab
table inet lab {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    ct state invalid counter
{forward}  }}
  chain output {{
    type filter hook output priority 0; policy accept;
    icmp type {{ destination-unreachable, redirect }} drop
  }}
}}
"""

# What goes from host to host of one LAN is never routed: it is dropped where the bridge hands it on.
LAN_RULES = """table bridge lab
delete table bridge lab
table bridge lab {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
{forward}  }}
}}
"""
EVERYWHERE = "all"


def bridge(topology: Topology, zone: str) -> str:
    """The router's interface in a zone; a host of the same name has its link at ``<id>-<name>``."""
    return f"{topology.id}_{zone}"


def ruleset(topology: Topology, faults: Iterable[Fault]) -> str:
    """Input for ``nft -f`` that replaces the lab's whole table: every link fault of ``faults``, nothing else."""
    return RULES.format(forward=_lines(topology, (fault for fault in faults if not in_one_lan(topology, fault))))


def lan_ruleset(topology: Topology, faults: Iterable[Fault]) -> str:
    """The same for the table of what goes from host to host of one LAN."""
    return LAN_RULES.format(forward=_lines(topology, (fault for fault in faults if in_one_lan(topology, fault))))


def in_one_lan(topology: Topology, fault: Fault) -> bool:
    """Whether a fault is about the link between two hosts of one LAN."""
    return fault.kind in LINK_KINDS and zone_of(topology, fault.a) == zone_of(topology, fault.b)


def check_ends(topology: Topology, fault: Fault) -> None:
    """LabError unless a link fault's ends are there, and lie in two LANs or are two hosts of one."""
    ends = (fault.a, fault.b)
    known = [EVERYWHERE, *topology.zones, *(name for _address, name in topology.names())]
    for end in ends:
        if zone_of(topology, end) is None:
            raise LabError(f"no zone or host {end}: {' '.join(dict.fromkeys(known))}")
    if in_one_lan(topology, fault):
        if fault.a == fault.b or set(ends) & {EVERYWHERE, *topology.zones}:
            raise LabError(f"{fault.a} and {fault.b}: within a LAN the two ends of a link are two hosts")
        if fault.new_flows:
            raise LabError(f"{fault.a} and {fault.b} are in one LAN: new flows are known between LANs only")


def zone_of(topology: Topology, end: str) -> str | None:
    """The zone of an end of a link: a zone, ``all`` of them, a host, or ``<site>-sip``; None if it is none of these."""
    if end == EVERYWHERE or end in topology.zones:
        return end
    zones = {**{name: host.zone for name, host in topology.hosts.items()}, **_shared_zones(topology)}
    return zones.get(end)


def _shared_zones(topology: Topology) -> dict[str, str]:
    return {f"{site}-sip": site for site in topology.sites}


def _lines(topology: Topology, faults: Iterable[Fault]) -> str:
    return "".join(f"    {rule}\n" for fault in faults for rule in link_rules(topology, fault))


def link_rules(topology: Topology, fault: Fault) -> list[str]:
    """The rules of one fault: none when it is not about a link."""
    if fault.kind not in LINK_KINDS:
        return []
    ways = [(fault.a, fault.b)] if fault.one_way or fault.new_flows else [(fault.a, fault.b), (fault.b, fault.a)]
    return [f"{_match(topology, source, target)}{_what(fault)} counter drop" for source, target in ways]


def _match(topology: Topology, source: str, target: str) -> str:
    ends = (_end(topology, source, "iifname", "saddr"), _end(topology, target, "oifname", "daddr"))
    return " ".join(end for end in ends if end)


def _end(topology: Topology, name: str, interface: str, address: str) -> str:
    if name == EVERYWHERE:
        return ""
    if name in topology.zones:
        return f'{interface} "{bridge(topology, name)}"'
    addresses = {known: value for value, known in topology.names()}
    return f"ip {address} {addresses[name]}"


def _what(fault: Fault) -> str:
    text = ""
    if fault.ports:
        text += f" meta l4proto {{ tcp, udp }} th dport {{ {', '.join(map(str, fault.ports))} }}"
    if fault.new_flows:
        text += " ct state new"
    if fault.percent is not None:
        text += f" numgen random mod 10000 < {round(fault.percent * 100)}"
    return text
