# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that Configuration Server Proxies resolve, where the driver is the hosts file (hosts(5)).

One name stands for the master Configuration Server; moving the master is changing what the name means on each client.
"""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded, read_text, replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for


class ServiceNameError(Exception):
    """A name does not mean what it should; the message says what it means instead."""


class HostsFile:
    """The doors of some names in one hosts file. With `dry`, nothing is written."""

    def __init__(self, path: Path, names: Mapping[str, str], recorded: Recorded, dry: bool) -> None:
        """Take the file, the address that each door is about by name, and the record of what the names meant before."""
        self._path = path
        self._names = names
        self._recorded = recorded
        self._dry = dry

    def observe(self) -> Dict[str, Any]:
        """Return which addresses the file gives each name."""
        return self._result(read_text(self._path))

    def readiness(self) -> Dict[str, Any]:
        """Return what a change will need, met or not."""
        shown = self.observe()
        writable = all(os.access(str(path), os.W_OK) for path in (self._path, self._path.parent))
        unknown = [name for name, addresses in shown["addresses"].items() if not addresses]
        way = f"run as a user who may write {self._path} and its directory"
        items = [
            _item("can be written", writable, f"{self._path} {'can' if writable else 'cannot'} be written", way),
            _item("names are known", not unknown, shown["detail"], "let each name mean the site that has the master"),
        ]
        return dict(shown, readiness=items, ready=writable and not unknown)

    def take_over(self, step: Step) -> Dict[str, Any]:
        """Let each name mean its address and no other."""
        return self._change(step, {name: [address] for name, address in self._names.items()})

    def release(self, step: Step) -> Dict[str, Any]:
        """Let each name no longer mean its address; other addresses of it stay."""
        found = self.observe()["addresses"]
        wanted = {name: [other for other in found[name] if other != gone] for name, gone in self._names.items()}
        return self._change(step, wanted)

    def restore(self, step: Step) -> Dict[str, Any]:
        """Let every recorded name mean what it meant before the first change; without a record nothing is done."""
        result = self._change(step, self._recorded.read() or {}, keep=False)
        if not self._dry:
            self._recorded.forget()
        return result

    def verify(self, deadline: float, interval: float) -> Dict[str, Any]:
        """Ask this host's own resolver. Raises ServiceNameError unless each name is its address and no other."""
        for name, address in self._names.items():
            if not wait_for(partial(_means, name, address), deadline, interval):
                found = ", ".join(_resolved(name)) or "nothing"
                raise ServiceNameError(f"{name} resolves to {found} on {socket.gethostname()}, not to {address}")
        words = ", ".join(f"{name} resolves to {address}" for name, address in self._names.items())
        return {"changed": False, "detail": words}

    def _change(self, step: Step, wanted: Mapping[str, List[str]], keep: bool = True) -> Dict[str, Any]:
        text = after = read_text(self._path)
        before = {name: addresses_of(text, name) for name in wanted}
        for name, addresses in wanted.items():
            if before[name] != addresses:
                after = with_addresses(after, name, addresses)
        if after == text:
            return self._result(text)
        if not self._dry:
            step.assert_newest()
            if keep:
                self._recorded.keep(before)
            replace_file(self._path, after)
        diff = {"before": text, "after": after, "before_header": str(self._path), "after_header": str(self._path)}
        return dict(self._result(after), changed=True, diff=diff)

    def _result(self, text: str) -> Dict[str, Any]:
        found = {name: addresses_of(text, name) for name in self._names}
        words = [f"{name} means {', '.join(addresses) or 'nothing'}" for name, addresses in found.items()]
        detail = f"{'; '.join(words) or 'no name was given'} in {self._path}"
        return {"changed": False, "addresses": found, "detail": detail}


def addresses_of(text: str, name: str) -> List[str]:
    """Return the addresses that a hosts file gives a name, in the file's order."""
    return [words[0] for words in map(_words_of, text.splitlines()) if _names(words, name)]


def with_addresses(text: str, name: str, addresses: Sequence[str]) -> str:
    """Return the hosts file with the name meaning these addresses; every other name and every comment stays.

    The new lines stand where the name stood first, or at the end.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    new = [f"{address}\t{name}\n" for address in addresses]
    result: List[str] = []
    for line in lines:
        if not _names(_words_of(line), name):
            result.append(line)
            continue
        result += new
        new = []
        rest = _without(line, name)
        if rest is not None:
            result.append(rest)
    return "".join(result + new)


def _words_of(line: str) -> List[str]:
    return line.partition("#")[0].split()


def _names(words: Sequence[str], name: str) -> bool:
    # Host names know no case (RFC 4343).
    return name.lower() in [word.lower() for word in words[1:]]


def _without(line: str, name: str) -> Optional[str]:
    """Return the line without this name; None when neither another name nor a comment is left."""
    entry, hash_sign, comment = line.rstrip("\n").partition("#")
    address, *names = entry.split()
    others = [word for word in names if word.lower() != name.lower()]
    if others:
        kept = "\t".join([address, " ".join(others)])
        return kept + (f" #{comment}" if hash_sign else "") + "\n"
    return f"#{comment}\n" if hash_sign else None


def _means(name: str, address: str) -> bool:
    return _resolved(name) == [address]


def _resolved(name: str) -> List[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(answer[4][0]) for answer in found})


def _item(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    return {"item": item, "met": met, "evidence": evidence, "way": "" if met else way}
