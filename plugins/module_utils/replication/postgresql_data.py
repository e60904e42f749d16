# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a PostgreSQL server's data directory, and what it says while the server is down."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from pathlib import Path
from typing import Dict, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError, Source


class Control(NamedTuple):
    """What pg_controldata says of a server that is down."""

    state: str
    timeline: int
    checkpoint: int
    """Where the latest checkpoint's record begins, as a number."""
    recovered: int
    """Up to where a standby must replay before it is consistent; 0 on a primary."""
    system_identifier: str


def write_standby_signal(data: Path, os_user: str) -> None:
    """Let a stopped server start as a standby only; on the disk when this returns."""
    user = pwd.getpwnam(os_user)
    descriptor = os.open(str(data / "standby.signal"), os.O_WRONLY | os.O_CREAT, 0o600)
    os.fchown(descriptor, user.pw_uid, user.pw_gid)
    os.close(descriptor)
    sync_directory(data)


def parse_control(text: str) -> Control:
    """Read what pg_controldata prints (LC_MESSAGES C). Raises DatabaseError when a line is missing."""
    words = dict(re.findall(r"^([^:\n]+): +(.*)$", text, re.MULTILINE))
    try:
        return Control(
            state=words["Database cluster state"],
            timeline=int(words["Latest checkpoint's TimeLineID"]),
            checkpoint=lsn_number(words["Latest checkpoint location"]),
            recovered=lsn_number(words["Minimum recovery ending location"]),
            system_identifier=words["Database system identifier"],
        )
    except KeyError as error:
        raise DatabaseError(f"pg_controldata does not say {error}") from error


def lsn_number(text: str) -> int:
    """Return a position of the log such as 0/3000B50 as a number of bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def fork_of(history: str, timeline: int) -> Optional[int]:
    """Return where a history file says that its timeline left `timeline`, None when it never was on it."""
    for line in history.splitlines():
        words = line.split("\t")
        if words[0].strip() == str(timeline):
            return lsn_number(words[1])
    return None


def stopped_before(control: Control, fork: int) -> bool:
    """Return whether a server that is down wrote nothing beyond the fork. Of a crashed one nobody knows."""
    if control.state == "shut down":
        return control.checkpoint < fork
    return control.state == "shut down in recovery" and max(control.recovered, control.checkpoint) <= fork


def started_with(access: Access) -> Dict[str, str]:
    """Return the configuration file and the programs' directory: as given, else as the server was last started."""
    path = Path(access.data_directory) / "postmaster.opts"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    config = re.search(r'"config_file=([^"]+)"', text)
    program = re.match(r"(\S+)/postgres\b", text)
    bin_directory = access.bin_directory or (program.group(1) if program else "")
    if not bin_directory:
        raise DatabaseError(f"where pg_rewind lies is not known: {path} is missing, so give bin_directory")
    return {"config_file": access.config_file or (config.group(1) if config else ""), "bin_directory": bin_directory}


def refuse_without_space(data: Path, where: Path) -> None:
    """Raise DatabaseError unless a second copy of the data fits in `where`."""
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    free = shutil.disk_usage(str(where)).free
    if free < size:
        raise DatabaseError(f"a copy needs {size // 2**20} MiB in {where}, {free // 2**20} MiB are free")


def remove(path: Path) -> None:
    """Remove a file, a link, or a directory with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(str(path))
    else:
        path.unlink()


def make_directory(path: Path, os_user: str) -> None:
    """Make an empty data directory."""
    path.mkdir(mode=0o700)
    user = pwd.getpwnam(os_user)
    os.chown(str(path), user.pw_uid, user.pw_gid)
    sync_directory(path.parent)


def keep_settings(data: Path, kept: Path) -> None:
    """Copy the configuration files of a data directory beside it, unless an earlier call has: they are from before."""
    if kept.exists():
        return
    new = kept.with_name(kept.name + ".new")
    shutil.rmtree(str(new), ignore_errors=True)
    new.mkdir(mode=0o700)
    _copy_settings(data, new)
    os.rename(str(new), str(kept))
    sync_directory(kept.parent)


def put_settings_back(kept: Path, data: Path) -> None:
    """Copy the configuration files back, owner and mode too."""
    _copy_settings(kept, data)
    sync_directory(data)


def _copy_settings(source: Path, target: Path) -> None:
    for path in [*source.glob("*.conf"), *source.glob("*.d/*.conf")]:
        copy = target / path.relative_to(source)
        if not copy.parent.exists():
            copy.parent.mkdir()
            _own(path.parent, copy.parent)
        shutil.copy2(str(path), str(copy))
        _own(path, copy)


def _own(like: Path, path: Path) -> None:
    owner = like.stat()
    os.chown(str(path), owner.st_uid, owner.st_gid)


def names(conninfo: str, source: Source) -> bool:
    """Return whether a primary_conninfo leads to the source."""
    return word_of(conninfo, "host") == source.address and int(word_of(conninfo, "port") or 5432) == source.port


def word_of(conninfo: str, name: str) -> str:
    """Return one value of a connection string, empty when it is not there (libpq, "Connection Strings")."""
    found = re.search(rf"\b{name} *= *(?:'((?:[^'\\]|\\.)*)'|(\S+))", conninfo)
    return (found.group(1) or found.group(2) or "") if found else ""


def quoted(value: str) -> str:
    """Quote a value of a connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
