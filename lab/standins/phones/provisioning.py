# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone's provisioning file, with the keys of Yealink (lines) or of Poly (XML attributes)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Account:
    """Whom to register, where, and for how long (seconds)."""

    user: str
    server: str
    port: int
    expires: int


def read_account(path: Path) -> Account:
    """The first account in a file, at its first server: these phones do not fail over by themselves.

    OSError if it cannot be read, KeyError or ValueError if it says too little.
    """
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("<"):
        keys, user, server = _attributes(text), "reg.1.address", "reg.1.server.1"
    else:
        keys, user, server = _lines(text), "account.1.user_name", "account.1.sip_server.1"
    return Account(
        user=keys[user],
        server=keys[f"{server}.address"],
        port=int(keys.get(f"{server}.port", "5060")),
        expires=int(keys.get(f"{server}.expires", "30")),
    )


def _lines(text: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            keys[name.strip()] = value.strip()
    return keys


def _attributes(text: str) -> dict[str, str]:
    try:
        return {name: value for element in ElementTree.fromstring(text).iter() for name, value in element.items()}
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed: {error}") from error
