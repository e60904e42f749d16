# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's disk: an overlay on the image whose upper layer is a tmpfs of limited size, mounted from outside.

It outlives the host's power, a full disk stays the host's own trouble, and `lab down` forgets it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from two_site_lab.commands import sh
from two_site_lab.errors import LabError
from two_site_lab.machine import wait_until
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.state import State

SIZE = "1500M"
WANTED_BY = {"service": "multi-user.target", "timer": "timers.target", "socket": "sockets.target"}


def mount(state: State, host: str, image: Path) -> Path:
    """Mount an empty disk for the host and return its root directory."""
    disk = state.disk(host)
    layer, root = disk / "layer", disk / "root"
    for folder in (layer, root):
        folder.mkdir(parents=True, exist_ok=True)
    sh("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", f"sip-dr-lab-{state.id}", layer)
    for name in ("upper", "work"):
        (layer / name).mkdir(mode=0o755)
    options = f"lowerdir={image},upperdir={layer}/upper,workdir={layer}/work"
    sh("mount", "-t", "overlay", f"sip-dr-lab-{state.id}", "-o", options, root)
    return root


def fill(state: State, host: str) -> None:
    """Leave the host's disk no room: its tmpfs shrinks to what lies on it, which costs neither time nor memory."""
    layer = state.disk(host) / "layer"
    wait_until(lambda: _resize(layer, str(_used(layer))), f"disk of {host} full")


def unfill(state: State, host: str) -> None:
    """Give the host's disk its size back."""
    sh("mount", "-o", f"remount,size={SIZE}", state.disk(host) / "layer")


def _used(layer: Path) -> int:
    disk = os.statvfs(layer)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _resize(layer: Path, size: str) -> bool:
    """Whether the size could be set: it cannot when the host has written something in between."""
    return not sh("sh", "-c", 'mount -o "remount,size=$1" "$2" 2>&1 || echo refused', "sh", size, layer)


def unmount_all(state: State) -> None:
    """Unmount everything under the lab's directory, innermost first; what lay on the disks is gone."""
    inside = f"{state.root}/"
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(inside)), key=len, reverse=True):
        sh("umount", point)


def base_setup(host: Host, topology: Topology, public_key: str) -> HostSetup:
    """What every host gets: its name, its identity, everybody's names and the lab's key."""
    names = "".join(f"{address} {name}\n" for address, name in topology.names())
    identity = hashlib.md5(f"{topology.id}-{host.name}".encode(), usedforsecurity=False).hexdigest()
    return HostSetup(
        files=[
            HostFile("/etc/hostname", f"{host.name}\n"),
            HostFile("/etc/hosts", f"127.0.0.1 localhost\n{names}"),
            HostFile("/etc/machine-id", f"{identity}\n", 0o444),
            HostFile("/root/.ssh/authorized_keys", public_key, 0o600),
        ]
    )


def write(root: Path, setup: HostSetup) -> None:
    """Lay a setup's directories and files on a disk, and enable its units."""
    owners = _owners(root)
    for name in setup.directories:
        _inside(root, name).mkdir(parents=True, exist_ok=True)
    for file in setup.files:
        _write_file(root, file, owners)
    for unit in setup.enable:
        _enable(root, unit)


def _inside(root: Path, name: str) -> Path:
    path = root / name.lstrip("/")
    # An absolute link in the image (/var/run) would lead out of the host's disk and onto this machine's.
    if not path.parent.resolve().is_relative_to(root.resolve()) or path.is_symlink():
        raise LabError(f"{name} lies behind a link that leaves the host's disk")
    return path


def _write_file(root: Path, file: HostFile, owners: dict[str, dict[str, int]]) -> None:
    path = _inside(root, file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content if isinstance(file.content, bytes) else file.content.encode())
    path.chmod(file.mode)
    user, _, group = file.owner.partition(":")
    try:
        os.chown(path, owners["passwd"][user], owners["group"][group or user])
    except KeyError as error:
        raise LabError(f"{file.path} belongs to {error}, whom the image does not know") from error


def _owners(root: Path) -> dict[str, dict[str, int]]:
    tables = {}
    for name in ("passwd", "group"):
        rows = (line.split(":") for line in (root / "etc" / name).read_text().splitlines() if line)
        tables[name] = {row[0]: int(row[2]) for row in rows}
    return tables


def _enable(root: Path, unit: str) -> None:
    """Enable a unit as systemctl would (a bare name is a service), without starting a chroot for it."""
    unit = unit if unit.rpartition(".")[2] in WANTED_BY else f"{unit}.service"
    stem, _, suffix = unit.rpartition(".")
    template = f"{stem.partition('@')[0]}@.{suffix}" if "@" in stem else unit
    for folder in ("etc/systemd/system", "lib/systemd/system"):
        for name in (unit, template):
            if (root / folder / name).exists():
                link = root / "etc/systemd/system" / f"{WANTED_BY[suffix]}.wants" / unit
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(f"/{folder}/{name}")
                return
    raise LabError(f"unit {unit} is neither among the host's files nor in the image")
