# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of the machine: root, and a few commands, installed when missing (Debian)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from two_site_lab.errors import LabError
from two_site_lab.progress import say, step

# Each host's systemd takes about ten of root's instances; the kernel's default is 128 for all of them.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 1024
COMMANDS = {
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ssh-keygen": "openssh-client",
    "sysctl": "procps",
    "systemd-nspawn": "systemd-container",
}


def need_root() -> None:
    """LabError unless this is root on Linux."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and machines: run it as root (sudo lab/lab …)")


def provide_commands() -> None:
    """Install what is missing (Debian); LabError with one line where that cannot be done."""
    packages = _missing()
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise LabError(f"missing here: {', '.join(packages)} (names of Debian's packages)")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installed {' '.join(packages)}", announce=True):
        for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", "-qq", *words], env=quiet, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LabError(f"apt-get {words[0]}: {' '.join((done.stderr or done.stdout).splitlines()[-1:])}")
    if _missing():
        raise LabError(f"still missing after apt-get: {', '.join(_missing())}")


def allow_many_systemds() -> None:
    """Raise the kernel's limit of inotify instances where it is too low for the systemds of two labs."""
    limit = int(INOTIFY.read_text())
    if limit < INOTIFY_INSTANCES:
        INOTIFY.write_text(f"{INOTIFY_INSTANCES}\n")
        say(f"         {INOTIFY} raised from {limit} to {INOTIFY_INSTANCES}, until this machine boots again")


def _missing() -> list[str]:
    return sorted({package for command, package in COMMANDS.items() if shutil.which(command) is None})
