# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on the Configuration hosts, and what the truth makes of its logs."""

from __future__ import annotations

import configparser
import dataclasses
import hashlib
import hmac
import json
from base64 import b64decode

import pytest
from standins.config_server.licence import LicenceError, check_licence
from two_site_lab import state, truth_configuration
from two_site_lab.inventory import LICENCE
from two_site_lab.model import HostSetup, Protection
from two_site_lab.setup import cfg, cfg_objects, guard
from two_site_lab.setup.cfg_scram import scram
from two_site_lab.topology import topology


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "BASE", tmp_path)
    (tmp_path / "dr").mkdir()
    return topology()


def files(lab, host):
    return {file.path: file for file in cfg.setup(lab.host(host), lab).files}


def test_the_sites_differ_in_the_standby_signal_only_where_files_are_missing(lab):
    first, second = files(lab, "s1-cfg"), files(lab, "s2-cfg")
    assert set(second) - set(first) == {f"{cfg.DATA}/standby.signal"}
    assert set(first) - set(second) == set()


@pytest.mark.parametrize("guarded", [True, False])
def test_the_control_agents_command_line_goes_through_the_guard(lab, guarded):
    chosen = dataclasses.replace(lab, protection=Protection("etcd", guarded))
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(files(chosen, "s1-cfg")["/etc/genesys/lca.conf"].content)
    words = parser["confserv_site1"]["command"].split()
    assert (words[0] == guard.WRAPPER) is guarded
    assert words[-1] == "/opt/genesys/confserv/confserv.conf"


def test_the_guard_is_laid_as_its_installation_says_and_on_configuration_hosts_only(lab):
    laid = guard.setup(lab.host("s2-cfg"), lab)
    paths = {file.path: file for file in laid.files}
    assert {guard.WRAPPER, "/etc/sip-dr/guard.json"} <= set(paths)
    assert laid.enable == ["sip-dr-guard.service"]
    said = json.loads(paths["/etc/sip-dr/guard.json"].content)
    assert (said["site"], said["hosts"], said["sync_names"]) == ("site2", ["s2-cfg"], "site1")
    assert said["start"][:2] == ["postgresql@15-main.service", "genesys-confserv.service"]
    assert guard.setup(lab.host("witness"), lab) == HostSetup()
    unguarded = dataclasses.replace(lab, protection=Protection("etcd", guarded=False))
    assert guard.setup(lab.host("s2-cfg"), unguarded) == HostSetup()


def test_the_first_ticket_is_nobodys_and_for_the_masters_site(lab):
    ticket = guard.first_ticket(dataclasses.replace(lab, master="site2"))
    assert (ticket["holder"], ticket["for"], ticket["hosts"]) == (None, "site2", ["s2-cfg"])


@pytest.mark.parametrize(("text", "fits"), [(None, False), ("FEATURE X", False), ("# x\nFEATURE MLCS y", True)])
def test_a_configuration_server_wants_its_licence(tmp_path, text, fits):
    licence = tmp_path / "license.dat"
    if text is not None:
        licence.write_text(text)
    if fits:
        check_licence(licence)
    else:
        with pytest.raises(LicenceError, match="no licence"):
            check_licence(licence)
    with pytest.raises(LicenceError):
        check_licence(None)


def test_the_licence_in_the_lab_is_one_that_the_server_takes(lab):
    found = files(lab, "s1-cfg")
    assert f"license-file={LICENCE}" in found["/opt/genesys/confserv/confserv.conf"].content
    assert "FEATURE MLCS " in found[LICENCE].content


def test_no_writer_starts_at_boot(lab):
    for host in ("s1-cfg", "s2-cfg"):
        enabled = cfg.setup(lab.host(host), lab).enable
        assert not {"postgresql@15-main.service", "genesys-confserv.service", "genesys-scs.service"} & set(enabled)


def test_passwords_lie_in_private_files_only(lab):
    found = files(lab, "s1-cfg")
    secrets = [cfg.inventory_variables(lab)["config_server_layer_password"]]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(found["/opt/genesys/confserv/confserv.conf"].content)
    secrets.append(parser["dbserver"]["password"])
    holding = [file for file in found.values() if any(secret in file.content for secret in secrets)]
    assert [file.path for file in holding] == ["/opt/genesys/confserv/confserv.conf"]
    assert all(file.mode == 0o600 for file in found.values() if "pass" in file.path.rpartition("/")[2])


def test_each_database_follows_the_other_by_its_own_sites_name(lab):
    settings = files(lab, "s2-cfg")["/etc/postgresql/15/main/conf.d/sip-dr.conf"].content
    assert "host=10.71.1.20 " in settings
    assert "application_name=site2 " in settings
    assert "primary_slot_name = 'site2'" in settings


def test_the_master_is_found_by_name_at_the_first_site(lab):
    assert "10.71.1.20 confserv-master\n" in files(lab, "s2-cfg")["/etc/hosts"].content


def test_the_roles_may_be_swapped(lab):
    swapped = dataclasses.replace(lab, master="site2")
    assert f"{cfg.DATA}/standby.signal" in files(swapped, "s1-cfg")
    assert f"{cfg.DATA}/standby.signal" not in files(swapped, "s2-cfg")
    assert "10.71.2.20 confserv-master\n" in files(swapped, "s1-cfg")["/etc/hosts"].content
    settings = files(swapped, "s1-cfg")["/etc/postgresql/15/main/conf.d/sip-dr.conf"].content
    assert "host=10.71.2.20 " in settings and "primary_slot_name = 'site1'" in settings


def test_objects_have_one_identity_each_and_the_options_that_matter(lab):
    objects = cfg_objects.objects(lab, "x")
    identities = [(obj["type"], obj["dbid"]) for obj in objects]
    assert len(set(identities)) == len(identities)
    named = {obj.get("name"): obj for obj in objects}
    options = {item["key"]: item["value"] for item in named["SIP_Server_2"]["options"]["property"]}
    assert options == {"dr-peer-trunk": "trunk_site1", "dr-forward": "oos", "http-port": "8080"}
    for name in ("SIP_Server_2", "StatServer_site2", "confserv_proxy_site2"):
        assert [item["value"] for item in named[name]["userproperties"]["property"]] == ["site2"]
    desktops = {item["key"]: item["value"] for item in named["Workspace"]["options"]["property"]}
    assert (desktops["disaster-recovery.enabled"], desktops["disaster-recovery.timeout"]) == ("true", "10")
    annex = {item["key"]: item["value"] for item in named["trunk_site2"]["userproperties"]["property"]}
    assert annex == {"contact": "sip:10.71.2.100:5060", "oos-check": "1", "oos-force": "2"}


def test_a_scram_verifier_verifies(lab):
    rounds_and_salt, _, keys = scram("pencil").removeprefix("SCRAM-SHA-256$").partition("$")
    rounds, _, salt = rounds_and_salt.partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", b64decode(salt), int(rounds))
    stored, _, server = keys.partition(":")
    assert b64decode(stored) == hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    assert b64decode(server) == hmac.digest(salted, b"Server Key", "sha256")


def test_acknowledged_writes_are_kept_or_lost():
    written = [
        {"number": 1, "outcome": "accepted"},
        {"number": 2, "outcome": "accepted"},
        {"number": 3, "outcome": "unknown"},
        {"number": 4, "outcome": "refused"},
    ]
    compared = truth_configuration.compare(written, ["ab-1", "ab-3"])
    assert (compared.kept, compared.lost, compared.unacknowledged) == ([1], [2], [3])


def write(site, term, second):
    return {"site": site, "term": term, "at": f"2026-01-31T03:00:{second:02d}+00:00"}


def test_masters_one_after_the_other_are_a_single_writer():
    writes = [write("site1", "a", 1), write("site2", "b", 5), write("site1", "a", 4), write("site2", "b", 9)]
    assert [(term.site, term.writes) for term in truth_configuration.terms(writes)] == [("site1", 2), ("site2", 2)]
    assert truth_configuration.two_writers(writes) == []


def test_masters_at_one_time_are_found():
    writes = [write("site1", "a", 1), write("site2", "b", 5), write("site1", "a", 6)]
    assert [(one.site, two.site) for one, two in truth_configuration.two_writers(writes)] == [("site1", "site2")]
