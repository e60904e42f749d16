# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's nftables rules for a set of link faults. Pure: text out of data."""

from __future__ import annotations

from collections.abc import Iterable

from two_site_lab.faults import Fault
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


def bridge(topology: Topology, zone: str) -> str:
    """The router's interface in a zone; a host of the same name has its link at ``<id>-<name>``."""
    return f"{topology.id}_{zone}"


def ruleset(topology: Topology, faults: Iterable[Fault]) -> str:
    """Input for ``nft -f`` that replaces the lab's whole table: every link fault of ``faults``, nothing else."""
    lines = [f"    {rule}\n" for fault in faults for rule in link_rules(topology, fault)]
    return RULES.format(forward="".join(lines))


def link_rules(topology: Topology, fault: Fault) -> list[str]:
    """The rules of one fault: none when it is not about a link."""
    if fault.kind not in ("cut", "loss"):
        return []
    ways = [(fault.a, fault.b)] if fault.one_way or fault.new_flows else [(fault.a, fault.b), (fault.b, fault.a)]
    return [f"{_match(topology, source, target)}{_what(fault)} counter drop" for source, target in ways]


def _match(topology: Topology, source: str, target: str) -> str:
    return f"{_end(topology, source, 'iifname', 'saddr')} {_end(topology, target, 'oifname', 'daddr')}"


def _end(topology: Topology, name: str, interface: str, address: str) -> str:
    if name in topology.zones:
        return f'{interface} "{bridge(topology, name)}"'
    return f"ip {address} {topology.host(name).address}"


def _what(fault: Fault) -> str:
    text = ""
    if fault.port is not None:
        text += f" meta l4proto {{ tcp, udp }} th dport {fault.port}"
    if fault.new_flows:
        text += " ct state new"
    if fault.percent is not None:
        text += f" numgen random mod 10000 < {round(fault.percent * 100)}"
    return text
