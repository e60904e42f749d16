# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small files replaced, each whole or not at all, and all of them on the disk at the end.

files.replace_file waits for the disk twice for each file, which is minutes for 20,000 of them. Here the disk is waited
for by several threads at once, so that its journal takes many files together, and once for each directory.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import (
    sync_directory,
    sync_file,
    written_beside,
)

AT_ONCE = 16  # threads that wait for the disk


def replace_files(files: Sequence[Tuple[Path, str]], mode: int = 0o644) -> None:
    """Replace these files atomically, keeping owner and mode of each; `mode` is for new ones. Raises OSError.

    A reader sees the old text or the new one. After an error some are replaced, each of them whole.
    """
    written: List[Tuple[str, Path]] = []
    try:
        for path, text in files:
            path.parent.mkdir(exist_ok=True)
            written.append((written_beside(path, text, mode), path))
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            list(pool.map(sync_file, [name for name, _path in written]))
        while written:
            os.replace(written[-1][0], str(written[-1][1]))
            written.pop()
    finally:
        for name, _path in written:
            os.unlink(name)
    for directory in sorted({path.parent for path, _text in files}):
        sync_directory(directory)
