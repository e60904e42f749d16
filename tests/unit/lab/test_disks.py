# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is laid on a host's disk before it boots."""

from __future__ import annotations

import os

import pytest
from two_site_lab import disks
from two_site_lab.errors import LabError
from two_site_lab.model import HostFile, HostSetup
from two_site_lab.topology import topology

LAB = topology("dr")


@pytest.fixture
def root(tmp_path):
    """A disk with the least of an image: its users are us, so that anybody can run these tests."""
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/passwd").write_text(f"root:x:{os.getuid()}:0:root:/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text(f"root:x:{os.getgid()}:\n")
    for unit in ("kamailio.service", "postgresql@.service", "tidy.timer"):
        (tmp_path / "lib/systemd/system" / unit).touch()
    return tmp_path


def test_files_have_content_and_mode(root):
    disks.write(root, HostSetup(files=[HostFile("/opt/x/run", "#!/bin/sh\n", 0o755), HostFile("/opt/x/raw", b"\0")]))
    assert (root / "opt/x/run").read_text() == "#!/bin/sh\n"
    assert (root / "opt/x/run").stat().st_mode & 0o777 == 0o755
    assert (root / "opt/x/raw").read_bytes() == b"\0"


def test_a_strange_owner_is_refused(root):
    with pytest.raises(LabError, match="nobody-here"):
        disks.write(root, HostSetup(files=[HostFile("/x", "", owner="nobody-here")]))


@pytest.mark.parametrize(
    ("unit", "link", "target"),
    [
        ("kamailio.service", "multi-user.target.wants/kamailio.service", "/lib/systemd/system/kamailio.service"),
        ("kamailio", "multi-user.target.wants/kamailio.service", "/lib/systemd/system/kamailio.service"),
        (
            "postgresql@15-main.service",
            "multi-user.target.wants/postgresql@15-main.service",
            "/lib/systemd/system/postgresql@.service",
        ),
        ("tidy.timer", "timers.target.wants/tidy.timer", "/lib/systemd/system/tidy.timer"),
    ],
)
def test_a_unit_is_enabled_by_a_link(root, unit, link, target):
    disks.write(root, HostSetup(enable=[unit]))
    assert os.readlink(root / "etc/systemd/system" / link) == target


def test_a_unit_among_the_hosts_own_files_comes_first(root):
    own = HostFile("/etc/systemd/system/kamailio.service", "[Unit]\n")
    disks.write(root, HostSetup(files=[own], enable=["kamailio.service"]))
    link = root / "etc/systemd/system/multi-user.target.wants/kamailio.service"
    assert os.readlink(link) == "/etc/systemd/system/kamailio.service"


def test_an_unknown_unit_is_refused(root):
    with pytest.raises(LabError, match="nosuch"):
        disks.write(root, HostSetup(enable=["nosuch.service"]))


def test_a_link_in_the_image_never_leads_out(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (root / "run").symlink_to(outside)
    with pytest.raises(LabError, match="leaves the host's disk"):
        disks.write(root, HostSetup(files=[HostFile("/run/x", "")]))
    assert not list(outside.iterdir())


def test_directories_are_made(root):
    disks.write(root, HostSetup(directories=["/var/lib/sip-dr"]))
    assert (root / "var/lib/sip-dr").is_dir()


def test_every_host_has_its_own_name_and_identity_and_knows_all_names(root):
    setups = [disks.base_setup(host, LAB, "ssh-ed25519 AAAA\n") for host in LAB.hosts.values()]
    content = [{file.path: file.content for file in setup.files} for setup in setups]
    assert len({files["/etc/machine-id"] for files in content}) == len(LAB.hosts)
    assert {files["/etc/hostname"].strip() for files in content} == set(LAB.hosts)
    assert "10.71.2.100 site2-sip\n" in content[0]["/etc/hosts"]
