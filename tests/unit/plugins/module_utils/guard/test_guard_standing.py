# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that says since when the ticket stands still."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.core import Standing


@pytest.fixture
def path(tmp_path):
    """Where the file lies."""
    return str(tmp_path / "standing.json")


def test_it_is_said_of_one_revision(path):
    standing.StandingFile(path).keep(Standing(7, 12.5))
    assert standing.read(path) == Standing(7, 12.5)
    assert os.stat(path).st_mode & 0o777 == 0o644


def test_it_is_written_only_for_something_new(path):
    file = standing.StandingFile(path)
    file.keep(Standing(7, 12.5))
    os.unlink(path)
    file.keep(Standing(7, 12.5))
    assert not os.path.exists(path)
    file.keep(Standing(8, 13.5))
    assert standing.read(path) == Standing(8, 13.5)


def test_another_boot_s_clock_says_nothing(path):
    standing.StandingFile(path).keep(Standing(7, 12.5))
    with open(path) as file:
        said = json.load(file)
    with open(path, "w") as file:
        json.dump({**said, "boot_id": "another"}, file)
    assert standing.read(path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"revision": 7, "since": 1}', "\x00"])
def test_what_cannot_be_read_says_nothing(path, text):
    with open(path, "w") as file:
        file.write(text)
    assert standing.read(path) is None


def test_without_a_guard_there_is_nothing(path):
    assert standing.read(path) is None
