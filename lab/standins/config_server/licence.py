# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The licence file, of which the stand-in asks only that it is there and names the feature of redundant servers."""

from __future__ import annotations

from pathlib import Path

FEATURE = "MLCS"


class LicenceError(Exception):
    """There is no licence to start with."""


def check_licence(licence: Path | None) -> None:
    """LicenceError unless the file can be read and names FEATURE."""
    try:
        text = licence.read_text(encoding="utf-8") if licence else ""
    except OSError as error:
        raise LicenceError(f"no licence: {error}") from error
    if not any(line.split()[:2] == ["FEATURE", FEATURE] for line in text.splitlines()):
        raise LicenceError(f"no licence: {licence or 'no file'} does not name {FEATURE}")
