# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones' provisioning files: read, compared, replaced whole.

Texts are held for some files at a time: of 20,000 phones only the keys that change are kept in memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    Phone,
    PhoneError,
    Server,
    Values,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import Drivers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.replacing import replace_files

CHUNK = 500  # files of which the texts are held at once

Problems = Dict[str, str]
"""By phone: its file, the key and what is wrong there."""


@dataclass(frozen=True)
class Rewrite:
    """One phone's file: the keys that change, as they stand (None: not there) and as they shall stand.

    named_before, named_after: the servers that it names, in words. is_new: there is no file yet.
    """

    phone: Phone
    path: Path
    before: Values
    after: Values
    named_before: str
    named_after: str
    is_new: bool = False


@dataclass(frozen=True)
class DayOne:
    """How phones are provisioned: seconds until a registration ends, and the longest that is allowed.

    servers_of: a phone's servers, the preferred one first; raises PhoneError. templates: texts by driver, where the
    site has its own. mode: of a new file.
    """

    servers_of: Callable[[Phone], Sequence[Server]]
    expires: int
    max_expires: int
    templates: Mapping[str, str] = field(default_factory=dict)
    mode: int = 0o644


@dataclass(frozen=True)
class Provisioning:
    """The directory that the phones are provisioned from."""

    directory: Path
    drivers: Drivers = field(default_factory=Drivers)

    def toward(self, phones: List[Phone], server: Server) -> Tuple[List[Rewrite], Problems]:
        """Return the files that do not name `server` first yet, and which ones cannot be read or understood."""
        return self._rewrites(phones, lambda phone, values: self.drivers.of(phone).toward(values, server))

    def back(self, phones: List[Phone], kept: Mapping[str, Values]) -> Tuple[List[Rewrite], Problems]:
        """Return the files that differ from what was kept by phone, and which ones cannot be read or understood."""
        return self._rewrites(phones, lambda phone, values: dict(kept[phone.name]))

    def write(self, rewrites: Sequence[Rewrite], before_each: Callable[[], None]) -> None:
        """Replace the files atomically: phones may be reading them. before_each: called before some are written.

        Raises OSError, PhoneError; some files are replaced then, each of them whole.
        """
        for chunk in _chunks(rewrites):
            new = [(one.path, self._with(one.phone, one.path, one.after)) for one in chunk]
            before_each()
            replace_files(new)

    def provision(
        self, phones: Sequence[Phone], plan: DayOne, before_each: Optional[Callable[[], None]]
    ) -> Iterator[Tuple[List[Rewrite], Problems, int]]:
        """Give each phone its file with both sites; a file that is there keeps everything else that stands in it.

        Yields, for some phones at a time, the files that changed, the phones that were left out and why, and the number
        of files that stood right. before_each: called before some are written; None writes nothing.
        """
        owners: Dict[Path, str] = {}
        for chunk in _chunks(phones):
            made: List[Tuple[Path, str]] = []
            rewrites: List[Rewrite] = []
            problems: Problems = {}
            for phone in chunk:
                try:
                    rewrite, text = self._made(phone, plan, owners)
                except (OSError, PhoneError) as error:
                    problems[phone.name] = str(error)
                    continue
                if text is not None:
                    rewrites.append(rewrite)
                    made.append((rewrite.path, text))
            if made and before_each is not None:
                before_each()
                replace_files(made, plan.mode)
            yield rewrites, problems, len(chunk) - len(made) - len(problems)

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
        """Return where the phone's file lies. Raises PhoneError."""
        return self.directory / self.drivers.of(phone).file_name(phone)

    def values_of(self, phone: Phone) -> Values:
        """Return what the phone's file says. Raises OSError, PhoneError, which names the phone and its file."""
        path = self.path_of(phone)
        try:
            return self.drivers.of(phone).values(read_text(path))
        except PhoneError as error:
            raise PhoneError(f"{phone.name}: {path}: {error}") from error

    def _rewrites(
        self, phones: Sequence[Phone], wanted: Callable[[Phone, Values], Values]
    ) -> Tuple[List[Rewrite], Problems]:
        # A wrong inventory changes nothing; a phone without a file must not keep the others from being moved: it is
        # counted as missing.
        paths = {phone.name: self.path_of(phone) for phone in phones}
        rewrites: List[Rewrite] = []
        problems: Problems = {}
        for phone in phones:
            try:
                values = self.values_of(phone)
                rewrite = self._rewrite(phone, paths[phone.name], values, wanted(phone, values))
            except (OSError, PhoneError) as error:
                problems[phone.name] = str(error)
                continue
            if rewrite.before != rewrite.after:
                rewrites.append(rewrite)
        return rewrites, problems

    def _rewrite(self, phone: Phone, path: Path, values: Values, wanted: Values, is_new: bool = False) -> Rewrite:
        return Rewrite(
            phone,
            path,
            {key: values.get(key) for key in wanted},
            wanted,
            "(none)" if is_new else self._named(phone, values),
            self._named(phone, {**values, **wanted}),
            is_new,
        )

    def _made(self, phone: Phone, plan: DayOne, owners: Dict[Path, str]) -> Tuple[Rewrite, Optional[str]]:
        """Return what changes, and the new text, None when it stands right. Raises OSError, PhoneError."""
        driver, path = self.drivers.of(phone), self.path_of(phone)
        if owners.setdefault(path, phone.name) != phone.name:
            raise PhoneError(f"{phone.name}: {path}: it is the file of {owners[path]}")
        try:
            old = read_text(path) if path.exists() else None
            base = driver.new_text(phone, plan.templates.get(phone.driver)) if old is None else old
            values = driver.values(base)
            wanted = driver.day_one(values, plan.servers_of(phone), phone.registration, plan.expires)
            text = driver.with_values(base, wanted)
            wrong = driver.problems(driver.values(text), phone.registration, plan.max_expires)
            if wrong:
                raise PhoneError("; ".join(wrong))
            return self._rewrite(phone, path, values, wanted, old is None), (None if text == old else text)
        except PhoneError as error:
            raise PhoneError(f"{phone.name}: {path}: {error}") from error

    def _with(self, phone: Phone, path: Path, values: Values) -> str:
        return self.drivers.of(phone).with_values(read_text(path), values)

    def _unfit(self, phone: Phone) -> str:
        try:
            named = self.drivers.of(phone).registers_with(self.values_of(phone))
            return "" if named.address else f"{phone.name}: {self.path_of(phone)} names no server"
        except PhoneError as error:
            return str(error)
        except OSError as error:
            return f"{phone.name}: {error}"

    def _named(self, phone: Phone, values: Values) -> str:
        servers = self.drivers.of(phone).standing(values).servers
        return ", ".join(f"{server.address}:{server.port}" for server in servers) or "(none)"


def _chunks(whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK))
