# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab begins: at which site the master is, what protects the single writer, and the makes of its gateways.

Kept over resets; the gateways, which are hosts, as long as the lab is up.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace
from pathlib import Path

from two_site_lab.errors import LabError
from two_site_lab.model import Protection, Topology
from two_site_lab.topology import GATEWAYS, topology


def add_options(command: ArgumentParser) -> None:
    """The options of ``up`` and ``reset`` that say how to begin."""
    command.add_argument("--master", metavar="SITE", help="where the database is primary and the master runs at first")
    command.add_argument("--coordination", choices=("etcd", "files"), help="etcd and the guard, or neither of them")
    command.add_argument("--unguarded", action="store_true", help="etcd, and no guard: what two writers look like")
    command.add_argument("--replication", choices=("sync", "async"), help="sync, or async where there is no guard")


def add_gateways(command: ArgumentParser) -> None:
    """The option of ``up`` alone: it says which hosts there are."""
    command.add_argument("--gateways", choices=tuple(GATEWAYS), help="mixed: site1 has a CUBE and an AudioCodes, too")


def wanted(options: Namespace, known: Protection) -> Protection:
    """The protection that the options ask for; what they leave open is as ``known``."""
    if options.coordination or options.unguarded:
        guarded = options.coordination != "files" and not options.unguarded
        known = Protection(options.coordination or "etcd", guarded, "sync" if guarded else "async")
    chosen = replace(known, replication=options.replication or known.replication)
    if chosen.coordination == "files" and chosen.replication == "sync":
        raise LabError("replication sync wants coordination by etcd: without a ticket nothing records that it is")
    return chosen


def begin_at(known: Topology, master: str | None, protection: Protection | None) -> Topology:
    """``known`` with another beginning where one is given; LabError if the master is at no site."""
    if master and master not in known.sites:
        raise LabError(f"the master is at {' or '.join(known.sites)}, not at {master}")
    return replace(known, master=master or known.master, protection=protection or known.protection)


def save(path: Path, chosen: Topology) -> None:
    """Keep how the lab begins."""
    kept = {"master": chosen.master, "gateways": chosen.gateways, **asdict(chosen.protection)}
    path.write_text(json.dumps(kept))


def load(path: Path, lab_id: str) -> Topology:
    """The lab's topology with the beginning that was kept; the default one where none was."""
    if not path.exists():
        return topology(lab_id)
    kept = json.loads(path.read_text())
    plain = topology(lab_id, gateways=kept.pop("gateways", next(iter(GATEWAYS))))
    return begin_at(plain, kept.pop("master"), Protection(**kept))
