# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small files replaced, each whole or not at all, and all of them on the disk at the end.

files.replace_file waits for the disk twice for each file, which is minutes for 20,000 of them. Here the disk is waited
for by several threads at once, so that its journal takes many files together, and once for each directory.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import sync_directory

AT_ONCE = 16  # threads that wait for the disk


def replace_files(files: Sequence[Tuple[Path, str]], mode: int = 0o644) -> None:
    """Replace these files atomically, keeping owner and mode of each; `mode` is for new ones. Raises OSError.

    A reader sees the old text or the new one. After an error some are replaced, each of them whole.
    """
    written: List[Tuple[str, Path]] = []
    try:
        for path, text in files:
            path.parent.mkdir(exist_ok=True)
            written.append((_written(path, text, mode), path))
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            list(pool.map(_to_disk, [name for name, _path in written]))
        while written:
            os.replace(written[-1][0], str(written[-1][1]))
            written.pop()
    finally:
        for name, _path in written:
            os.unlink(name)
    for directory in sorted({path.parent for path, _text in files}):
        sync_directory(directory)


def _written(path: Path, text: str, mode: int) -> str:
    with tempfile.NamedTemporaryFile("wb", dir=str(path.parent), prefix=f".{path.name}.", delete=False) as new:
        try:
            _like_before(new.fileno(), path, mode)
            new.write(text.encode("utf-8", "surrogateescape"))
        except BaseException:
            os.unlink(new.name)
            raise
        return new.name


def _like_before(descriptor: int, path: Path, mode: int) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, before.st_mode & 0o7777)


def _to_disk(name: str) -> None:
    descriptor = os.open(name, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
