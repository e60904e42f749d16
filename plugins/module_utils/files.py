# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that survive a crash at any instant: replaced whole or not at all, and on the disk before the call returns."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Optional


def sync_directory(directory: Path) -> None:
    """Bring a directory's entries to the disk; a rename is durable only after this (fsync(2))."""
    descriptor = os.open(str(directory), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file atomically, keeping the owner and mode that it has; `mode` is for a new file.

    A reader sees the old text or the new one, never a part. Raises OSError when the directory cannot be written.
    """
    new = written_beside(path, text, mode)
    try:
        sync_file(new)
        os.replace(new, str(path))
    except BaseException:
        os.unlink(new)
        raise
    sync_directory(path.parent)


def written_beside(path: Path, text: str, mode: int) -> str:
    """Write a new file beside the one that it is to replace, with the owner and mode of that; return its name.

    It is not on the disk yet. Raises OSError, and leaves nothing then.
    """
    # The bytes are written as they are: a device's own line ends must come through.
    with tempfile.NamedTemporaryFile("wb", dir=str(path.parent), prefix="." + path.name + ".", delete=False) as new:
        try:
            _like_before(new.fileno(), path, mode)
            new.write(text.encode("utf-8", "surrogateescape"))
        except BaseException:
            os.unlink(new.name)
            raise
    return new.name


def sync_file(name: str) -> None:
    """Bring what was written to a file to the disk (fsync(2))."""
    descriptor = os.open(name, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _like_before(descriptor: int, path: Path, mode: int) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, before.st_mode & 0o7777)


def read_text(path: Path) -> str:
    """Return a file's text with every byte kept (surrogateescape), line ends untouched."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


class Recorded:
    """What stood before the first change, kept in a JSON file until it has been put back.

    `keep` never overwrites: the second change of a run must not take the first one's result for the original.
    """

    def __init__(self, state_dir: str, name: str) -> None:
        """Use `<state_dir>/<name>.json`; nothing is read or written yet."""
        self._path = Path(state_dir) / (name + ".json")

    def read(self) -> Optional[Dict[str, Any]]:
        """Return what was kept, or None when nothing was changed since the last restore."""
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def keep(self, before: Dict[str, Any]) -> None:
        """Add the keys of `before` that are not kept yet; on the disk when this returns."""
        kept = self.read() or {}
        added = {key: value for key, value in before.items() if key not in kept}
        if not added:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        replace_file(self._path, json.dumps(dict(kept, **added), indent=1, sort_keys=True) + "\n", mode=0o600)

    def forget(self) -> None:
        """Drop the record: what it held has been put back."""
        if self._path.exists():
            self._path.unlink()
            sync_directory(self._path.parent)
