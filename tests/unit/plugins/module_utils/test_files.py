"""Files replaced whole or not at all, and the record of what stood before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded, read_text, replace_file


def test_mode_bytes_and_line_ends_come_through(tmp_path: Path) -> None:
    path = tmp_path / "dispatcher.list"
    path.write_bytes(b"# caf\xe9\r\n1 sip:a\r\n")
    path.chmod(0o640)
    replace_file(path, read_text(path).replace("sip:a", "sip:b"))
    assert path.read_bytes() == b"# caf\xe9\r\n1 sip:b\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["dispatcher.list"]


def test_a_failed_replacement_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError):
        replace_file(path, "text")
    assert os.listdir(tmp_path) == ["folder"]


def test_the_first_state_is_kept_and_never_overwritten(tmp_path: Path) -> None:
    record = Recorded(str(tmp_path / "state"), "media_gateway")
    assert record.read() is None
    record.keep({"a": 10})
    record.keep({"a": 5, "b": 1})
    assert record.read() == {"a": 10, "b": 1}
    record.forget()
    record.forget()
    assert record.read() is None
