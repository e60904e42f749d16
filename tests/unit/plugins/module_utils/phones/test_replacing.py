"""Files are replaced whole, keep their owner and mode, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.replacing import replace_files


def test_modes_are_kept_and_new_ones_get_theirs(tmp_path: Path) -> None:
    old = tmp_path / "old.cfg"
    old.write_text("before")
    old.chmod(0o640)
    replace_files([(old, "after"), (tmp_path / "phones" / "new.cfg", "new\r\n")], 0o604)
    assert (old.read_text(), old.stat().st_mode & 0o777) == ("after", 0o640)
    new = tmp_path / "phones" / "new.cfg"
    assert (new.read_bytes(), new.stat().st_mode & 0o777) == (b"new\r\n", 0o604)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new.cfg", "old.cfg", "phones"]


def test_a_disk_that_fails_leaves_the_old_files_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{name}.cfg" for name in "abc"]
    for path in paths:
        path.write_text("before")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_files([(path, "after") for path in paths])
    assert {path.read_text() for path in paths} == {"before"}
    assert len(os.listdir(tmp_path)) == 3
