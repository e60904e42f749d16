# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's name in the cache."""

from __future__ import annotations

from two_site_lab.image import recipe_hash


def recipe(folder, **files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def test_the_hash_follows_names_and_content(tmp_path):
    one = recipe_hash(recipe(tmp_path / "one", packages="a\nb\n", prepare="x"))
    same = recipe_hash(recipe(tmp_path / "same", prepare="x", packages="a\nb\n"))
    content = recipe_hash(recipe(tmp_path / "content", packages="a\n", prepare="x"))
    name = recipe_hash(recipe(tmp_path / "name", packages="a\nb\n", prepare_more="x"))
    assert one == same
    assert len({one, content, name}) == 3
