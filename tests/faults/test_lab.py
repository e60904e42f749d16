# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own promises, on the running lab: ``lab/enter .venv/bin/python -m pytest tests/faults/test_lab.py``.

Run without lab/enter they are skipped: they take the power from a site.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from road import Road
from two_site_lab import truth_configuration, truth_writers
from two_site_lab.errors import LabError
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until
from two_site_lab.network import existing

LAB = Lab(os.environ.get("SIP_DR_LAB", "dr"))
COMMAND = Path(__file__).resolve().parents[2] / "lab/lab"
OUTSIDE = "192.0.2.1"  # RFC 5737: an address that is nobody's
PATIENCE = 1.5
SIP_OPTIONS = """
import socket, sys
there = sys.argv[1]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.3)
sock.connect((there, 5060))
host, port = sock.getsockname()
for number in range(6):
    sock.send(f"OPTIONS sip:{there} SIP/2.0\\r\\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{port}{number}\\r\\n"
        f"Max-Forwards: 70\\r\\nFrom: <sip:lab@{host}>;tag=1\\r\\nTo: <sip:{there}>\\r\\nCall-ID: {port}@{host}\\r\\n"
        f"CSeq: {number + 1} OPTIONS\\r\\nContent-Length: 0\\r\\n\\r\\n".encode())
    try:
        print(sock.recv(4096).decode())
        break
    except OSError:
        pass
"""


def _in_control() -> bool:
    with suppress(FileNotFoundError):
        here, control = os.stat("/proc/self/ns/net"), os.stat(f"/run/netns/{LAB.state.id}-control")
        return (here.st_dev, here.st_ino) == (control.st_dev, control.st_ino)
    return False


pytestmark = pytest.mark.skipif(not _in_control(), reason="not in the lab's control namespace (lab/enter)")


def lab(*words):
    """Run ``lab/lab`` and return what it said."""
    done = subprocess.run([COMMAND, "--id", LAB.state.id, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _mended():
    yield
    lab("heal", "--all")


def connects(host, address, port=22):
    """Whether a TCP connection comes about; a refusal is one answer too many and fails the test."""
    code = f"import socket; socket.create_connection(({address!r}, {port}), {PATIENCE})"
    done = LAB.run(host, ["python3", "-c", code], check=False)
    assert "refused" not in done.stderr
    return done.returncode == 0


def speaks_sip(host, site):
    """Whether the site's SIP address answers an OPTIONS that is sent from a host, six times at most."""
    done = LAB.run(host, ["python3", "-c", SIP_OPTIONS, LAB.topology.vip(site)], check=False)
    return done.stdout.startswith("SIP/2.0 200")


def silent(address):
    """Whether neither TCP nor ICMP gets any answer at all from an address: not even a refusal."""
    with pytest.raises(TimeoutError):
        socket.create_connection((address, 22), PATIENCE)
    echo = LAB.run("witness", ["ping", "-c1", "-W1", address], check=False).stdout
    return "100% packet loss" in echo and "errors" not in echo


def test_no_namespace_has_a_route_out():
    own = re.compile(r"(default via )?10\.71\.[1-6]\.")
    for namespace in existing(LAB.topology):
        routes = subprocess.run(["ip", "-n", namespace, "route"], capture_output=True, text=True, check=True).stdout
        assert all(own.match(line) for line in routes.splitlines()), (namespace, routes)
        assert not namespace.endswith("-router") or "default" not in routes
        links = subprocess.run(["ip", "-n", namespace, "-j", "-d", "link"], capture_output=True, check=True).stdout
        kinds = {link.get("linkinfo", {}).get("info_kind", link["link_type"]) for link in json.loads(links)}
        assert kinds <= {"loopback", "veth", "bridge"}, (namespace, kinds)
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        socket.create_connection((OUTSIDE, 80), PATIENCE)


def test_up_twice_says_so():
    done = subprocess.run([COMMAND, "--id", LAB.state.id, "up"], capture_output=True, text=True, check=False)
    assert (done.returncode, "up already" in done.stderr) == (0, True)


def test_a_dead_site_is_silent_and_comes_back_with_its_disks():
    LAB.run("s1-gw", ["sh", "-c", "echo here > /root/mark"])
    lab("kill", "site1")
    addresses = [*(host.address for host in LAB.topology.of_site("site1")), LAB.topology.vip("site1")]
    with ThreadPoolExecutor(len(addresses)) as pool:
        assert dict(zip(addresses, pool.map(silent, addresses))) == dict.fromkeys(addresses, True)
    with pytest.raises(LabError, match="is off"):
        LAB.run("s1-gw", ["true"])
    lab("revive", "site1")
    assert connects("witness", LAB.topology.host("s1-gw").address)
    assert LAB.run("s1-gw", ["cat", "/root/mark"]).stdout == "here\n"


def test_a_cut_link_heals_by_itself_and_touches_no_other():
    other_site = LAB.topology.host("s2-cfg").address
    lab("cut", "site1", "site2", "--for", "3")
    assert not connects("s1-cfg", other_site)
    assert connects("s1-cfg", LAB.topology.host("witness").address)
    wait_until(lambda: connects("s1-cfg", other_site), "link healed by the supervisor", deadline=8)
    assert json.loads(lab("status", "--json"))["faults"] == []


def test_new_flows_are_cut_from_one_side_only():
    lab("cut", "site1", "site2", "--new-flows")
    assert not connects("s1-cfg", LAB.topology.host("s2-cfg").address)
    assert connects("s2-cfg", LAB.topology.host("s1-cfg").address)


def test_a_port_is_cut_alone():
    lab("cut", "control", "site2", "--port", "22")
    with pytest.raises(TimeoutError):
        socket.create_connection((LAB.topology.host("s2-cfg").address, 22), PATIENCE)
    assert LAB.run("s2-cfg", ["ping", "-c1", "-W1", LAB.topology.control.address]).returncode == 0


def test_the_management_path_is_cut_alone():
    """SSH (22) and LCA (4999) between the sites, both ways; SIP and the database go on."""
    lab("cut", "site1", "site2", "--port", "22", "--port", "4999")
    for here, there in (("s1-cfg", "s2-cfg"), ("s2-cfg", "s1-cfg")):
        address = LAB.topology.host(there).address
        assert not connects(here, address, 22)
        assert not connects(here, address, 4999)
        assert connects(here, address, 2025)


def test_control_is_cut_off_from_everywhere_and_nobody_else_is():
    lab("cut", "control", "all")
    with pytest.raises(TimeoutError):
        socket.create_connection((LAB.topology.host("witness").address, 22), PATIENCE)
    assert connects("witness", LAB.topology.host("s1-cfg").address)
    lab("heal")
    socket.create_connection((LAB.topology.host("witness").address, 22), PATIENCE).close()


def test_a_gateway_is_cut_from_its_own_sites_sip_address_and_nobody_else_is():
    lab("cut", "s1-gw", "site1-sip", "--port", "5060")
    assert not speaks_sip("s1-gw", "site1")
    assert speaks_sip("s1-cfg", "site1")
    assert speaks_sip("s1-gw", "site2")
    assert speaks_sip("s2-gw", "site1")
    lab("heal")
    assert speaks_sip("s1-gw", "site1")


def test_a_flapping_link_is_cut_and_whole_in_turn_and_ends_whole():
    address, log = LAB.topology.host("s2-cfg").address, LAB.state.root / "log"
    lab("flap", "site1", "site2", "--down", "2", "--up", "3", "--for", "9")
    began = time.time()
    assert not connects("s1-cfg", address)
    wait_until(lambda: connects("s1-cfg", address), "whole in its turn", deadline=4)
    wait_until(lambda: json.loads(lab("status", "--json"))["faults"] == [], "over", deadline=12)
    assert connects("s1-cfg", address)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    turns = [one["cut"] for one in events if one["event"] == "flap" and one["at"] >= began]
    assert turns[:3] == [False, True, False]


def test_a_site_that_reboots_comes_back_by_itself():
    lab("reboot", "site1", "--after", "4")
    assert silent(LAB.topology.host("s1-cfg").address)
    assert all(
        fault["kind"] == "power" and fault["seconds_left"] for fault in json.loads(lab("status", "--json"))["faults"]
    )
    wait_until(lambda: json.loads(lab("status", "--json"))["faults"] == [], "power is back", deadline=20)
    assert LAB.run("s1-gw", ["true"]).returncode == 0
    assert connects("witness", LAB.topology.host("s1-gw").address)


def test_lost_packets_are_about_as_many_as_asked_for():
    lab("loss", "site2", "witness", "20")
    words = ["ping", "-q", "-c300", "-i0.005", "-W1", LAB.topology.host("witness").address]
    lost = float(re.search(r"([\d.]+)% packet loss", LAB.run("s2-gw", words, check=False).stdout)[1])
    # 20 % each way lose 36 % of the round trips; five standard deviations of 300 are 14 points.
    assert 22 < lost < 50


def test_a_frozen_unit_thaws_by_a_timer_on_its_host():
    def stopped():
        return "T" in LAB.run("witness", ["ps", "-o", "stat=", "-C", "sshd"]).stdout

    lab("freeze", "witness", "ssh.service", "--for", "2")
    assert stopped()
    wait_until(lambda: not stopped(), "thawed", deadline=6)


def test_a_killed_unit_stays_dead_for_its_time():
    def active():
        return LAB.run("s1-gw", ["systemctl", "is-active", "kamailio"], check=False).returncode == 0

    lab("kill", "s1-gw", "kamailio.service", "--for", "3")
    killed = time.monotonic()
    assert not active()
    wait_until(active, "started again", deadline=8)
    assert time.monotonic() - killed > 1


def test_a_full_disk_takes_no_byte_and_heals():
    write = ["python3", "-c", "open('/root/more', 'a').write('x' * 100000)"]
    lab("fill", "witness", "--for", "2")
    assert "No space left" in LAB.run("witness", write, check=False).stderr
    wait_until(lambda: LAB.run("witness", write, check=False).returncode == 0, "room again", deadline=6)


def test_a_frozen_host_is_silent_and_goes_on_where_it_stood():
    booted = LAB.run("s1-gw", ["stat", "-c", "%Y", "/proc/1"]).stdout
    lab("freeze", "s1-gw", "--for", "5")
    assert silent(LAB.topology.host("s1-gw").address)
    assert {host["name"]: host["power"] for host in json.loads(lab("status", "--json"))["hosts"]}["s1-gw"] == "held"
    wait_until(lambda: connects("witness", LAB.topology.host("s1-gw").address), "thawed by the supervisor", deadline=20)
    assert LAB.run("s1-gw", ["stat", "-c", "%Y", "/proc/1"]).stdout == booted
    lab("freeze", "s1-gw")
    lab("thaw", "s1-gw")
    assert connects("witness", LAB.topology.host("s1-gw").address)


def starts_by_command_line(host, application):
    """Have a host's control agent execute an Application's command line; how long the process lived, up to 3 s."""
    code = f"""
import time
from standins.config_server.wire import Client
began = time.monotonic()
Client("127.0.0.1", 4999).ask(op="start", application={application!r})
while time.monotonic() < began + 3:
    states = Client("127.0.0.1", 4999).ask(op="status")["applications"]
    if next(one["status"] for one in states if one["name"] == {application!r}) == "Stopped":
        break
    time.sleep(0.05)
print(time.monotonic() - began)
"""
    return float(LAB.run(host, ["env", "PYTHONPATH=/opt/genesys/lib", "python3", "-c", code]).stdout)


@pytest.mark.skipif(not LAB.topology.protection.guarded, reason="a lab without guard")
def test_a_command_line_starts_no_second_master():
    standby = LAB.topology.of_kind("cfg", LAB.topology.peer(LAB.topology.master))[0]
    assert starts_by_command_line(standby.name, f"confserv_{standby.site}") < 3
    said = LAB.run(standby.name, ["journalctl", "-b", "-u", "genesys-lca", "-n", "5", "--no-pager"]).stdout
    assert "refused" in said


@pytest.mark.skipif(not LAB.topology.protection.guarded, reason="a lab without guard")
def test_the_masters_host_comes_back_and_takes_its_own_ticket(tmp_path):
    master = LAB.topology.of_kind("cfg", LAB.topology.master)[0].name
    Road(LAB, tmp_path).start_writes()
    try:
        lab("reboot", master, "--after", "1")
        back = time.time()
        wait_until(lambda: any(row["outcome"] == "accepted" and row["begun"] > back for row in rows()), "written", 60)
    finally:
        truth_configuration.stop_writes(LAB)
    found = truth_writers.verdict(LAB)
    assert (found.single_writer, found.lost, found.primary) == (True, (), LAB.topology.master)


def rows():
    return truth_configuration.outcomes(LAB)
