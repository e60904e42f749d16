# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's networks: a namespace for each host, one for the router, a bridge for each zone, and link faults."""

from __future__ import annotations

from collections.abc import Iterable

from two_site_lab.commands import in_namespace, sh
from two_site_lab.faults import Fault
from two_site_lab.model import Host, Topology
from two_site_lab.rules import bridge, in_one_lan, lan_ruleset, ruleset

# /proc/sys/net is read-only inside a host: the virtual address's daemons need the first from outside.
HOST_SYSCTLS = ("net.ipv4.ip_nonlocal_bind=1", "net.ipv6.conf.all.disable_ipv6=1")
ROUTER_SYSCTLS = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.disable_ipv6=1")


def namespace(topology: Topology, name: str) -> str:
    """The network namespace of a host, of ``control`` or of ``router``."""
    return f"{topology.id}-{name}"


def make(topology: Topology) -> None:
    """Make every namespace, the router with a bridge for each zone, and every host's link to it."""
    router = namespace(topology, "router")
    hosts = [*topology.hosts.values(), topology.control]
    for name in ("router", *(host.name for host in hosts)):
        sh("ip", "netns", "add", namespace(topology, name))
        sysctls = ROUTER_SYSCTLS if name == "router" else HOST_SYSCTLS
        sh(*in_namespace(namespace(topology, name), ["sysctl", "-qw", *sysctls]))
    _batch(router, ["link set lo up", *_bridges(topology), *(line for host in hosts for line in _link(topology, host))])
    apply_faults(topology, ())
    for host in hosts:
        power_up(topology, host)


def _bridges(topology: Topology) -> list[str]:
    lines = []
    for zone in topology.zones.values():
        lan = bridge(topology, zone.name)
        lines += [
            f"link add {lan} type bridge forward_delay 0 mcast_snooping 0",
            f"addr add {zone.gateway}/{zone.prefix_length} dev {lan}",
            f"link set {lan} up",
        ]
    return lines


def _link(topology: Topology, host: Host) -> list[str]:
    own = namespace(topology, host.name)
    return [
        f"link add {own} type veth peer name eth0 netns {own}",
        f"link set {own} master {bridge(topology, host.zone)}",
    ]


def power_up(topology: Topology, host: Host) -> None:
    """Give a host its addresses and its link."""
    zone = topology.zone_of(host)
    lines = [
        "link set lo up",
        f"addr replace {host.address}/{zone.prefix_length} dev eth0",
        "link set eth0 up",
        f"route replace default via {zone.gateway}",
    ]
    _batch(namespace(topology, host.name), lines)
    plug(topology, [host])


def plug(topology: Topology, hosts: Iterable[Host]) -> None:
    """Give the hosts their links at the router's side."""
    _batch(namespace(topology, "router"), [f"link set {namespace(topology, host.name)} up" for host in hosts])


def unplug(topology: Topology, hosts: Iterable[Host]) -> None:
    """Take the hosts' links down from the router's side, all in one go."""
    _batch(namespace(topology, "router"), [f"link set {namespace(topology, host.name)} down" for host in hosts])


def forget(topology: Topology, host: Host) -> None:
    """Clear addresses and rules that a dead host left: its namespace would go on answering for them."""
    own = namespace(topology, host.name)
    _batch(own, ["addr flush dev eth0", "addr flush dev lo", "route flush table main"])
    sh(*in_namespace(own, ["nft", "flush", "ruleset"]))


def apply_faults(topology: Topology, faults: Iterable[Fault]) -> None:
    """Make the router drop what the link faults say and nothing else, in one step for links and one within LANs."""
    inside, listed = in_namespace(namespace(topology, "router"), ["nft"]), list(faults)
    sh(*inside, "-f", "-", stdin=ruleset(topology, listed))
    # Not every kernel has the tables of bridges: they are touched only for who asks for a fault within a LAN.
    wanted = any(in_one_lan(topology, fault) for fault in listed)
    if wanted or "table bridge lab" in sh(*inside, "list", "tables"):
        sh(*inside, "-f", "-", stdin=lan_ruleset(topology, listed))


def existing(topology: Topology) -> list[str]:
    """The namespaces of this lab that there are."""
    wanted = {namespace(topology, name) for name in ("router", "control", *topology.hosts)}
    listed = (line.split()[0] for line in sh("ip", "netns", "list").splitlines() if line.strip())
    return [name for name in listed if name in wanted]


def remove(topology: Topology) -> None:
    """Remove every namespace of this lab; links and bridges go with them."""
    for name in existing(topology):
        sh("ip", "netns", "delete", name)


def _batch(own: str, lines: list[str]) -> None:
    sh("ip", "-n", own, "-batch", "-", stdin="\n".join(lines) + "\n")
