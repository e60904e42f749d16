# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for phones that want a digest: only their owner may read them, and nothing quotes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.credentials import read_credentials
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError


def written(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "phones.json"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(mode)
    return str(path)


def test_user_password_and_realm(tmp_path: Path) -> None:
    found = read_credentials(written(tmp_path, '{"username": "a", "password": "s3cret", "realm": "phone"}'))
    assert found is not None
    assert (found.username, found.password, found.realm) == ("a", "s3cret", "phone")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("path", [None, ""])
def test_no_file_is_no_credentials(path: str | None) -> None:
    assert read_credentials(path) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a:s3cret", "it is not JSON in UTF-8"),
        ('{"username": "a", "password": "s3cret\xe4"}', "it is not JSON in UTF-8"),
        ('["a", "s3cret"]', "a mapping with username, password"),
        ('{"password": "s3cret"}', "a mapping with username, password"),
        ('{"username": "a", "password": "s3cret", "user": "a"}', "a mapping with username, password"),
        ('{"username": "a\\r\\nX: s3cret", "password": "s3cret"}', "username: a text in one line"),
        ('{"username": "", "password": "s3cret"}', "username: a text in one line"),
        ('{"username": "a", "password": 33333}', "password: a text in one line"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_quoted(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(PhoneError) as caught:
        read_credentials(written(tmp_path, text))
    assert named in str(caught.value) and "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_others_may_not_read_it(tmp_path: Path, mode: int) -> None:
    with pytest.raises(PhoneError, match="others may read it; mode 0600"):
        read_credentials(written(tmp_path, '{"username": "a", "password": "b"}', mode))
