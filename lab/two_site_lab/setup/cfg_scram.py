# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PostgreSQL keeps a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

ROUNDS = 4096


def scram(password: str) -> str:
    """The SCRAM-SHA-256 verifier that PostgreSQL stores (RFC 5802, RFC 7677): the password itself never goes there."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored, server, salted_by = (
        base64.b64encode(part).decode() for part in (hashlib.sha256(client_key).digest(), server_key, salt)
    )
    return f"SCRAM-SHA-256${ROUNDS}:{salted_by}${stored}:{server}"
