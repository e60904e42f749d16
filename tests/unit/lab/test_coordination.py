# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coordination service of the lab: its members, certificates and users, and how a lab begins."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
from argparse import ArgumentParser

import pytest
from two_site_lab import beginning, coordination_users, pki, state
from two_site_lab.errors import LabError
from two_site_lab.model import Protection
from two_site_lab.setup import coordination
from two_site_lab.topology import topology

FILES = Protection("files", False, "async")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "BASE", tmp_path)
    (tmp_path / "dr").mkdir()
    chosen = dataclasses.replace(topology(), protection=Protection("etcd", False, "async"))
    pki.make(state.State("dr").pki, chosen.members())
    return chosen


def files(lab, host):
    return {file.path: file for file in coordination.setup(lab.host(host), lab).files}


def test_a_member_stands_at_each_site_and_in_the_third_place_and_nowhere_else(lab):
    with_files = [name for name, host in lab.hosts.items() if coordination.setup(host, lab).enable]
    assert with_files == ["s1-cfg", "s2-cfg", "witness"]
    assert coordination.setup(lab.host("s1-gw"), lab).files == []
    by_files = dataclasses.replace(lab, protection=FILES)
    assert coordination.setup(lab.host("s1-cfg"), by_files).files == []


def test_members_name_each_other_and_ask_before_they_vote(lab):
    lines = files(lab, "witness")["/etc/default/etcd"].content.splitlines()
    environment = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    members = "s1-cfg=https://10.71.1.20:2380,s2-cfg=https://10.71.2.20:2380,witness=https://10.71.5.10:2380"
    assert environment["ETCD_INITIAL_CLUSTER"] == members
    assert environment["ETCD_NAME"] == "witness"
    assert environment["ETCD_PRE_VOTE"] == "true"
    assert int(environment["ETCD_ELECTION_TIMEOUT"]) == 10 * int(environment["ETCD_HEARTBEAT_INTERVAL"])


def test_each_host_logs_in_as_its_site_and_asks_its_own_member_first_and_the_other_sites_last(lab):
    settings = {host: json.loads(files(lab, host)[coordination.SETTINGS].content) for host in ("s1-cfg", "witness")}
    assert settings["s1-cfg"]["endpoints"] == ["10.71.1.20:2379", "10.71.5.10:2379", "10.71.2.20:2379"]
    assert [settings[host]["user"] for host in settings] == ["site1", "witness"]
    assert settings["s1-cfg"]["password"] != settings["witness"]["password"]


def test_what_is_secret_is_private(lab):
    found = files(lab, "s1-cfg")
    assert {path for path, file in found.items() if file.mode == 0o600} == {
        "/etc/etcd/member.key",
        coordination.SETTINGS,
    }
    secret = json.loads(found[coordination.SETTINGS].content)["password"]
    assert [path for path, file in found.items() if secret in file.content] == [coordination.SETTINGS]
    assert (state.State("dr").pki.stat().st_mode & 0o777) == 0o700
    assert all(key.stat().st_mode & 0o077 == 0 for key in state.State("dr").pki.glob("*.key"))


def test_a_certificate_serves_and_dials_and_names_its_host_but_no_user(lab):
    keys = state.State("dr").pki
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-text", "-in", pki.certificate(keys, "witness")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "CN" not in text.partition("Subject:")[2].partition("\n")[0]
    for wanted in ("IP Address:10.71.5.10", "DNS:witness", "TLS Web Server", "TLS Web Client", "CA:FALSE"):
        assert wanted in text
    words = ["openssl", "verify", "-CAfile", pki.authority_file(keys), pki.certificate(keys, "witness")]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_certificates_are_made_once(lab):
    keys = state.State("dr").pki
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    pki.make(keys, lab.members())
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before


def test_users_may_use_the_prefix_and_nothing_else_and_the_door_is_closed_last():
    made = coordination_users.calls("/sip-dr", "r", {"site1": "p"}, {})
    rights = next(body["perm"] for path, body in made if path == "auth/role/grant")
    begin, end = (base64.b64decode(rights[key]).decode() for key in ("key", "range_end"))
    assert begin <= "/sip-dr/ticket" < end and begin <= "/sip-dr/~" < end
    assert not any(begin <= key < end for key in ("/sip-dr", "/sip-dr2/ticket", "/other"))
    assert made[-1] == ("auth/enable", {})
    assert ("auth/user/grant", {"user": "site1", "role": coordination_users.ROLE}) in made


def test_keys_are_laid_before_the_door_is_closed():
    made = coordination_users.calls("/sip-dr", "r", {}, {"ticket": {"holder": None}})
    path, body = made[-2]
    assert (path, base64.b64decode(body["key"])) == ("kv/put", b"/sip-dr/ticket")
    assert json.loads(base64.b64decode(body["value"])) == {"holder": None}


def wanted(*words, known=FILES):
    parser = ArgumentParser()
    beginning.add_options(parser)
    return beginning.wanted(parser.parse_args(words), known)


def test_without_options_a_lab_begins_as_it_did():
    assert wanted() == FILES


@pytest.mark.parametrize(
    ("words", "protection"),
    [
        (["--coordination", "files"], FILES),
        (["--coordination", "etcd"], Protection("etcd", True, "sync")),
        (["--unguarded"], Protection("etcd", False, "async")),
        (["--unguarded", "--replication", "sync"], Protection("etcd", False, "sync")),
        (["--coordination", "etcd", "--replication", "async"], Protection("etcd", True, "async")),
    ],
)
def test_the_options_say_what_protects(words, protection):
    assert wanted(*words) == protection


def test_files_cannot_record_that_replication_is_synchronous():
    with pytest.raises(LabError, match="wants coordination by etcd"):
        wanted("--coordination", "files", "--replication", "sync")


def test_how_a_lab_begins_is_kept(tmp_path):
    kept = tmp_path / "beginning.json"
    assert beginning.load(kept, "dr") == topology("dr")
    chosen = beginning.begin_at(topology("dr"), "site2", FILES)
    beginning.save(kept, chosen)
    assert beginning.load(kept, "dr") == chosen
    assert beginning.begin_at(chosen, None, None) == chosen
    with pytest.raises(LabError, match="site1 or site2"):
        beginning.begin_at(chosen, "site3", None)
