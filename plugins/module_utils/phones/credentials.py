# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose digest phones want before they take a NOTIFY: user name and password in a file on the host that sends it."""

from __future__ import annotations

import json
import os
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import Credentials

_NEEDED = {"username", "password"}
_KNOWN = {*_NEEDED, "realm"}


def read_credentials(path: Optional[str]) -> Optional[Credentials]:
    """Return what a JSON file with `username`, `password` and, to answer no other, `realm` says; None without a file.

    Raises PhoneError, which never quotes the file: only its owner may read it (mode 0600).
    """
    if not path:
        return None
    given = _read(path)
    if not isinstance(given, dict) or not _NEEDED <= set(given) <= _KNOWN:
        raise PhoneError(f"credentials_file {path}: a mapping with username, password, and realm or not is expected")
    for name, value in given.items():
        if not isinstance(value, str) or not value.isprintable() or not value:
            raise PhoneError(f"credentials_file {path}: {name}: a text in one line is expected")
    return Credentials(**given)


def _read(path: str) -> object:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise PhoneError(f"credentials_file {path}: others may read it; mode 0600 is expected")
            return json.loads(file.read())
    except OSError as error:
        raise PhoneError(f"credentials_file {path}: {error.strerror}") from error
    except ValueError:
        # The error itself holds the text that was read.
        raise PhoneError(f"credentials_file {path}: it is not JSON in UTF-8") from None
