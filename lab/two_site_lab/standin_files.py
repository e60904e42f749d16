# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins' files, from ``lab/standins`` to where they lie on a host."""

from __future__ import annotations

from pathlib import Path
from string import Template

from two_site_lab.model import HostFile

STANDINS = Path(__file__).resolve().parent.parent / "standins"
LIBRARY = "/opt/genesys/lib/standins"
UNITS = "/etc/systemd/system"


def text(name: str) -> str:
    """The content of a stand-in's file, named from ``lab/standins``."""
    return (STANDINS / name).read_text(encoding="utf-8")


def filled(name: str, **values: object) -> str:
    """A template with its values; KeyError names one that is missing."""
    return Template(text(name)).substitute(values)


def programs(*packages: str) -> list[HostFile]:
    """The Python files of some stand-ins: with LIBRARY's parent as path, ``python3 -m standins.PACKAGE`` runs."""
    sources = [
        STANDINS / "__init__.py",
        *(path for name in packages for path in sorted((STANDINS / name).glob("*.py"))),
    ]
    return [HostFile(f"{LIBRARY}/{path.relative_to(STANDINS)}", path.read_text(encoding="utf-8")) for path in sources]


def unit(name: str) -> HostFile:
    """A stand-in's systemd unit, named from ``lab/standins``."""
    return HostFile(f"{UNITS}/{Path(name).name}", text(name))
