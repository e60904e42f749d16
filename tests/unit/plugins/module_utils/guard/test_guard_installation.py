# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard lays on a host: complete, quoted as systemd reads it, and able to run by itself."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
import sys

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import ConfigError, Writer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.installation import (
    LIBRARY,
    files,
    package,
    quoted,
)

SIGNAL = "/var/lib/postgresql/15/main/standby.signal"
CONFIG = {
    "site": "site1",
    "host": "s1-cfg",
    "hosts": ["s1-cfg"],
    "writers": [
        {"unit": "genesys-confserv.service"},
        {"unit": "postgresql@15-main.service", "standby_signal": SIGNAL},
    ],
}


def but(**more):
    return {**CONFIG, **more}


def test_what_is_laid_reads_back_as_the_same_configuration(tmp_path):
    path = tmp_path / "guard.json"
    path.write_text(files(but(database={}))[configuration.PATH].content)
    read = configuration.read(str(path))
    assert read == configuration.parse(but(database={}))
    assert read.writers[1] == Writer("postgresql@15-main.service", SIGNAL)
    assert (read.hold, read.replication, read.database) == (10.0, "async", {})


def test_secrets_are_for_root_alone_and_programs_for_everybody():
    modes = {path: file.mode for path, file in files(CONFIG).items()}
    assert modes[configuration.PATH] == 0o600
    assert modes["/usr/local/sbin/sip-dr-guarded"] == modes["/usr/local/sbin/sip-dr-fresh"] == 0o755
    assert "/etc/sip-dr/etcd.json" not in modes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"site": ""}, "missing ['site']"),
        ({"writers": []}, "missing ['writers']"),
        ({"colour": "red"}, "unknown ['colour']"),
        ({"hosts": ["s1-db"]}, "s1-cfg is not among s1-db"),
        ({"hold": 2}, "hold: must be more than"),
        ({"hold": "long"}, "hold: expected seconds above 0"),
        ({"renew": True}, "renew: expected seconds above 0"),
        ({"replication": "maybe"}, "replication: expected sync or async"),
        ({"replication": "sync", "database": {}}, "sync_names: with replication sync, expected"),
        ({"writers": [{"name": "x"}]}, "writers: expected unit"),
        ({"writers": [{"unit": "postgresql"}]}, "expected the whole name of a unit"),
        ({"start": ["a/b.service"]}, "expected the whole name of a unit"),
        ({"writers": [{"unit": "a.service", "standby_signal": "data/standby.signal"}]}, "expected an absolute path"),
        ({"writers": [{"unit": "a.service", "standby_signal": "/a\nExecStart=/b"}]}, "control characters"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_by_its_key(change, words):
    with pytest.raises(ConfigError) as refused:
        files(but(**change))
    assert words in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_file_is_named(tmp_path, text):
    path = tmp_path / "guard.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        configuration.read(str(path))


def test_odd_names_of_units_and_paths_come_through():
    unit, signal = r"data-b\x2dase@15-häuser.service", '/data/a b/100%/$HOME/"x"\\/standby.signal'
    laid = files(but(writers=[{"unit": unit, "standby_signal": signal}]))
    drop_in = laid[f"/etc/systemd/system/{unit}.d/sip-dr-guard.conf"].content
    (line,) = [line for line in drop_in.splitlines() if line.startswith("ExecCondition=")]
    words = line.partition("=")[2].replace("%%", "%").replace("$$", "$")
    assert shlex.split(words) == ["+/usr/local/sbin/sip-dr-fresh", "--or-standby", signal]
    assert "BindsTo" not in drop_in


def test_words_are_quoted_as_systemd_reads_them():
    assert quoted("plain") == '"plain"'
    assert quoted('a"b\\c%d$e') == '"a\\"b\\\\c%%d$$e"'


def test_a_program_that_writes_is_bound_to_the_guard():
    drop_in = files(CONFIG)["/etc/systemd/system/genesys-confserv.service.d/sip-dr-guard.conf"].content
    assert "BindsTo=sip-dr-guard.service" in drop_in
    assert "ExecCondition=+/usr/local/sbin/sip-dr-fresh\n" in drop_in


def test_the_unit_kills_the_writers_however_the_guard_ends():
    unit = files(but(watchdog=1.5))["/etc/systemd/system/sip-dr-guard.service"].content
    for line in ("ExecStopPost=/usr/local/sbin/sip-dr-guard-ended", "WatchdogSec=1.5s", "Type=notify"):
        assert line in unit.splitlines()


@pytest.fixture
def library(tmp_path):
    """The package as it lies on a host."""
    for path, text in package().items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.mark.parametrize("program", ["sip-dr-guard", "sip-dr-guard-ended", "sip-dr-fresh", "sip-dr-guarded"])
def test_the_package_is_complete_without_anything_else(library, program):
    script = files(CONFIG)["/usr/local/sbin/" + program].content.replace(LIBRARY, str(library))
    imports = "\n".join(line for line in script.splitlines() if not line.startswith("sys.exit"))
    done = subprocess.run([sys.executable, "-IS", "-c", imports], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_ansible_is_needed():
    for path, text in package().items():
        names = [node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.startswith("ansible.")], path


def test_the_configuration_is_json_that_a_person_can_read():
    content = files(CONFIG)[configuration.PATH].content
    assert json.loads(content)["writers"] == CONFIG["writers"]
    assert content.count("\n") > 10


def test_a_marker_with_quotes_stays_one_word():
    script = files(but(marker="OUR'S"))["/usr/local/sbin/sip-dr-guarded"].content
    assert 'marker="OUR\'S"' in script
