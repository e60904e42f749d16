# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone's provisioning file, with the keys of Yealink's template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """Whom to register, where, and for how long (seconds)."""

    user: str
    server: str
    port: int
    expires: int


def read_account(path: Path) -> Account:
    """The first account in a file; OSError if it cannot be read, KeyError or ValueError if it says too little."""
    keys: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            keys[name.strip()] = value.strip()
    server = "account.1.sip_server.1"
    return Account(
        user=keys["account.1.user_name"],
        server=keys[f"{server}.address"],
        port=int(keys.get(f"{server}.port", "5060")),
        expires=int(keys.get(f"{server}.expires", "30")),
    )
