# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's nouns: zones, hosts, what lies on a host, and the topology that names them all. Pure data, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Zone:
    """One LAN: its name, ``subnet`` (CIDR) and ``gateway`` (the router's address in it)."""

    name: str
    subnet: str
    gateway: str

    @property
    def prefix_length(self) -> int:
        """Length of the subnet's prefix, in bits."""
        return int(self.subnet.rpartition("/")[2])


@dataclass(frozen=True)
class Host:
    """One machine of the lab: kind is sip, cfg, gw, phones, pstn or witness; site is None for what is in neither.

    ``make`` is whose product a gateway stands for, in the collection's word for its driver.
    """

    name: str
    kind: str
    zone: str
    address: str
    site: str | None = None
    make: str = ""


@dataclass(frozen=True)
class HostFile:
    """A file to lie on a host before it boots; ``owner`` is ``user`` or ``user:group`` as the image knows them."""

    path: str
    content: str | bytes
    mode: int = 0o644
    owner: str = "root"


@dataclass(frozen=True)
class HostSetup:
    """What a host gets on top of the image: files, units that start at boot, and empty directories (0755, root)."""

    files: list[HostFile] = field(default_factory=list)
    enable: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Protection:
    """What keeps the configuration's writer the only one.

    coordination: ``etcd`` (three members, a ticket) or ``files``; guarded: the guard is installed, which needs etcd;
    replication: ``sync`` (a commit waits until the other site has it) or ``async``.
    """

    coordination: str = "etcd"
    guarded: bool = True
    replication: str = "sync"


@dataclass(frozen=True)
class Topology:
    """All names and addresses of one lab; ``id`` keeps several labs on one machine apart (addresses are the same).

    ``master`` is the site where the database is primary and the Configuration Server the master when the lab starts.
    ``gateways`` are ``alike``, one at each site, or ``mixed``: two of other makes beside the one at the first site.
    """

    id: str
    zones: dict[str, Zone]
    hosts: dict[str, Host]
    vips: dict[str, str]
    control: Host
    master: str
    protection: Protection = Protection()
    gateways: str = "alike"

    @property
    def sites(self) -> list[str]:
        """The two sites' names, in order."""
        return list(self.vips)

    def host(self, name: str) -> Host:
        """The host of that name; KeyError if there is none (``control`` is a namespace, not a host)."""
        return self.hosts[name]

    def vip(self, site: str) -> str:
        """The virtual address of the site's SIP Server pair."""
        return self.vips[site]

    def test_dn(self, site: str) -> str:
        """The number that the site answers test calls on; no gateway sends it anywhere else."""
        return f"{8001 + self.sites.index(site)}"

    def peer(self, site: str) -> str:
        """The other site."""
        return next(other for other in self.vips if other != site)

    def zone_of(self, host: Host) -> Zone:
        """The LAN that the host is in."""
        return self.zones[host.zone]

    def of_kind(self, kind: str, site: str | None = None) -> list[Host]:
        """The hosts of one kind, in order; with ``site`` only that site's."""
        return [host for host in self.hosts.values() if host.kind == kind and site in (None, host.site)]

    def members(self) -> list[Host]:
        """The hosts with a member of the coordination service: none where coordination is by files."""
        third = self.of_kind("witness")
        return [*self.of_kind("cfg"), *third] if self.protection.coordination == "etcd" else []

    def of_site(self, site: str) -> list[Host]:
        """All hosts that stand in a site."""
        return [host for host in self.hosts.values() if host.site == site]

    def names(self) -> Iterator[tuple[str, str]]:
        """Every (address, name) of the lab: all hosts, ``control``, and ``<site>-sip`` for the virtual addresses."""
        yield from ((host.address, host.name) for host in (*self.hosts.values(), self.control))
        yield from ((address, f"{site}-sip") for site, address in self.vips.items())
