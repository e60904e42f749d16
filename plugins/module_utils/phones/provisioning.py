# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones' provisioning files: read, compared, replaced whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text, replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    Phone,
    PhoneError,
    Server,
    Values,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import driver_of


@dataclass(frozen=True)
class Rewrite:
    """One phone's file as it is and as it shall be."""

    phone: Phone
    path: Path
    before: str
    after: str

    @property
    def values_before(self) -> Values:
        """The keys that change, as they stand; None for a key that is not there."""
        return driver_of(self.phone).values(self.before)

    @property
    def named_before(self) -> str:
        """The server that the file names now, for a person."""
        return _named(self.phone, self.before)

    @property
    def named_after(self) -> str:
        """The server that it shall name, for a person."""
        return _named(self.phone, self.after)

    def write(self) -> None:
        """Replace the file atomically: a phone may be reading it. Raises OSError."""
        replace_file(self.path, self.after)


@dataclass(frozen=True)
class Provisioning:
    """The directory that the phones are provisioned from."""

    directory: Path

    def toward(self, phones: List[Phone], server: Server) -> Tuple[List[Rewrite], Dict[str, str]]:
        """Return the files that do not name `server` yet, and why some cannot be read (phone: reason)."""
        return self._rewrites({phone: driver_of(phone).toward(server) for phone in phones})

    def back(self, phones: List[Phone], kept: Mapping[str, Values]) -> Tuple[List[Rewrite], Dict[str, str]]:
        """Return the files that differ from what was kept by phone, and why some cannot be read."""
        return self._rewrites({phone: dict(kept[phone.name]) for phone in phones})

    def readiness(self, phones: List[Phone]) -> List[Dict[str, Any]]:
        """Check that the directory can be written, and that each phone has its file with its server in it."""
        writable = self.directory.is_dir() and os.access(self.directory, os.W_OK)
        unfit = sorted(filter(None, map(self._unfit, phones)))
        return [
            {
                "item": "the provisioning directory can be written",
                "met": writable,
                "evidence": f"{self.directory} {'can' if writable else 'cannot'} be written by this user",
                "way": "let the user of this connection become one who may write there",
            },
            {
                "item": "every phone of single registration has its provisioning file",
                "met": not unfit,
                "evidence": "; ".join(unfit[:10]) or f"{len(phones)} files name their phone's server",
                "way": "provision the phone, or mend its driver and mac in the inventory",
            },
        ]

    def path_of(self, phone: Phone) -> Path:
        """Return where the phone's file lies."""
        return self.directory / driver_of(phone).file_name(phone.mac)

    def _rewrites(self, wanted: Mapping[Phone, Values]) -> Tuple[List[Rewrite], Dict[str, str]]:
        rewrites: List[Rewrite] = []
        problems: Dict[str, str] = {}
        for phone, values in wanted.items():
            path = self.path_of(phone)
            try:
                before = read_text(path)
            except OSError as error:
                # One phone without a file must not keep the others from being moved; it is counted as missing.
                problems[phone.name] = str(error)
                continue
            after = driver_of(phone).with_values(before, values)
            if after != before:
                rewrites.append(Rewrite(phone, path, before, after))
        return rewrites, problems

    def _unfit(self, phone: Phone) -> str:
        try:
            text = read_text(self.path_of(phone))
            named = driver_of(phone).registers_with(driver_of(phone).values(text))
        except (OSError, PhoneError, ValueError) as error:
            return f"{phone.name}: {error}"
        return "" if named.address else f"{phone.name}: {self.path_of(phone)} names no server"


def _named(phone: Phone, text: str) -> str:
    server = driver_of(phone).registers_with(driver_of(phone).values(text))
    return f"{server.address or '(none)'}:{server.port}"
