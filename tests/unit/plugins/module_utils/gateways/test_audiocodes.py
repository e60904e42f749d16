# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AudioCodes driver against a device that speaks its REST interface over HTTPS and has a real store of tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import audiocodes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import Gateway, record_here
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from standins.audiocodes.store import INI

from .audiocodes_double import PASSWORD, TARGETS, Device, running

Bench = tuple[dict, Device]


@pytest.fixture(params=[False, True], ids=["keeps rows", "replaces tables"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A device that keeps the rows that an incremental file does not have, and one that does not."""
    with running(replaces_tables=request.param) as (params, device):
        yield params, device


@pytest.fixture
def device_here() -> Iterator[Bench]:
    with running() as (params, device):
        yield params, device


def prefer(params: dict, site: str) -> dict:
    return audiocodes.apply(params, audiocodes.plan(params, site), site)


def test_it_reads_both_sites_and_the_order(device_here: Bench):
    params, device = device_here
    device.store.states = {TARGETS["site1"]: "OFFLINE"}
    assert audiocodes.read(params) == {
        "prefers": "site1",
        "targets": {
            "site1": {
                "admin": "in_service",
                "oper": "down",
                "priority": 0,
                "state": "OFFLINE",
                "uri": "sip:10.71.1.100:5060",
            },
            "site2": {
                "admin": "in_service",
                "oper": "up",
                "priority": 1,
                "state": "ONLINE",
                "uri": "sip:10.71.2.100:5061",
            },
        },
    }


def test_preferring_swaps_the_rows_saves_and_restore_brings_back_every_byte(bench: Bench):
    params, device = bench
    before = device.text
    change = audiocodes.plan(params, "site2")
    assert change.needed and device.loaded == [] and PASSWORD not in repr(change)
    assert audiocodes.apply(params, change, "site2")["prefers"] == "site2"
    assert device.store.addresses(1) == [TARGETS["site2"], TARGETS["site1"]]
    assert device.store.addresses(0) == ["10.71.3.10:5060"]
    device.store.reboot()
    assert audiocodes.read(params)["prefers"] == "site2"
    assert not audiocodes.plan(params, "site2").needed
    audiocodes.apply(params, audiocodes.plan_restore(params, change.undo), None)
    assert device.text == before
    assert not audiocodes.plan_restore(params, change.undo).needed


def test_both_sites_are_in_the_set_at_every_moment(bench: Bench):
    params, device = bench
    seen: list[set[str]] = []
    device.store.after_load = lambda: seen.append(set(device.store.addresses(1)))
    prefer(params, "site2")
    assert seen == [set(TARGETS.values())]


def test_only_the_table_of_addresses_is_sent(device_here: Bench):
    params, device = device_here
    prefer(params, "site2")
    (sent,) = device.loaded
    assert sent.startswith("[ ProxyIp ]") and "[ ProxySet ]" not in sent and sent.endswith("[ \\ProxyIp ]\r\n")


def test_another_release_has_other_columns_in_another_order():
    line = "FORMAT Index = ProxySetId, ProxyIpIndex, IpAddress, TransportType, Priority, Weight;"
    ini = INI.replace(line, "FORMAT Index = Weight, Colour, IpAddress, ProxySetId, TransportType;")
    for row, words in enumerate(('"0", 0, "10.71.3.10:5060", 0, 0, 0', '"1", 0, "10.71.1.100:5060", 0, 0, 0')):
        address, number = words.split(", ")[2], words[:3]
        ini = ini.replace(f"ProxyIp {row} = {words};", f'ProxyIp {row} = 0, "red, {row}", {address}, {number}, 0;')
    ini = ini.replace(
        'ProxyIp 2 = "1", 1, "10.71.2.100:5061", 2, 0, 5;', 'ProxyIp 2 = 5, "", "10.71.2.100:5061", "1", 2;'
    )
    with running(ini) as (params, device):
        assert prefer(params, "site2")["prefers"] == "site2"
        assert 'ProxyIp 1 = 5, "", "10.71.2.100:5061", "1", 2;' in device.text
        assert 'ProxyIp 2 = 0, "red, 1", "10.71.1.100:5060", "1", 0;' in device.text


def test_what_is_right_but_not_saved_is_a_needed_change(device_here: Bench):
    params, device = device_here
    prefer(params, "site2")
    device.store.edit("SyslogServerIP = 10.71.6.10", "SyslogServerIP = 10.71.6.11")
    change = audiocodes.plan(params, "site2")
    assert change.needed and change.before == change.after and change.undo == {}
    device.loaded.clear()
    audiocodes.apply(params, change, "site2")
    assert device.loaded == []
    assert device.store.saved == device.store.running


def test_a_device_that_does_not_tell_what_is_saved(device_here: Bench):
    params, device = device_here
    device.tells_save_needed = False
    prefer(params, "site2")
    assert device.store.saved == device.store.running
    assert not audiocodes.plan(params, "site2").needed


def test_a_busy_device_is_asked_again(device_here: Bench):
    params, device = device_here
    device.busy = 5
    assert prefer(params, "site2")["prefers"] == "site2"
    device.busy = 10**6
    with pytest.raises(GatewayError, match="409 met .*HA synchronization.*asked again for 1 s"):
        audiocodes.plan(params, "site1")


def test_a_device_that_gets_busy_between_plan_and_apply(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    device.busy = 10**6
    with pytest.raises(GatewayError, match="409"):
        audiocodes.apply(params, change, "site2")
    assert device.store.running == device.text


def test_a_wrong_password_is_told_without_it(device_here: Bench):
    params, _device = device_here
    Path(params["password_file"]).write_text("falsch, falsch")
    for call in (audiocodes.read, lambda options: audiocodes.plan(options, "site2")):
        with pytest.raises(GatewayError, match="GET /api/v1/files/ini: status 200 expected, 401 met") as error:
            call(params)
        assert "falsch" not in str(error.value) and "Unauthorized" in str(error.value)


def test_a_refused_file_changes_nothing(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    strange = type(change)(change.before, change.after.replace("Weight", "Colour"), change.undo)
    with pytest.raises(
        GatewayError, match="400 met .*unknown parameter Colour.*nothing was changed within 0 s; nothing was saved"
    ):
        audiocodes.apply(params, strange, "site2")
    assert device.store.running == device.text
    assert audiocodes.read(params)["prefers"] == "site1"


@pytest.mark.parametrize("manner", ["garbage", "half", "cut", "silent"])
def test_answers_that_are_none(device_here: Bench, manner: str):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    undo = change.undo
    params["timeout"] = 0.5 if manner == "silent" else params["timeout"]
    begin = time.monotonic()
    calls = [
        lambda: audiocodes.read(params),
        lambda: audiocodes.plan(params, "site2"),
        lambda: audiocodes.plan_restore(params, undo),
        lambda: audiocodes.apply(params, change, "site2"),
    ]
    with getattr(device, manner)():
        for call in calls:
            with pytest.raises(GatewayError, match="127.0.0.1"):
                call()
    assert time.monotonic() - begin < 6
    assert device.loaded == [] and device.store.running == device.text


def test_a_lost_answer_to_a_change_that_was_done_is_no_failure(device_here: Bench):
    params, device = device_here
    device.drops = "ini/incremental"
    assert prefer(params, "site2")["prefers"] == "site2"
    assert device.store.saved == device.store.running


def test_a_change_that_is_done_late_is_waited_for(device_here: Bench):
    params, device = device_here
    load = device.store.load
    device.store.load = lambda text: threading.Timer(0.1, load, [text]).start()
    assert prefer(dict(params, apply_deadline=5.0), "site2")["prefers"] == "site2"


def test_a_device_that_falls_silent_after_the_change_is_told(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    quick = dict(params, timeout=0.5)
    with device.silent():
        device.speaks_until = "ini/incremental"
        with pytest.raises(GatewayError, match="PUT .*incremental: no whole answer.*what stands now cannot be read"):
            audiocodes.apply(quick, change, "site2")
    device.speaks_until = ""
    assert device.store.running == device.text


def test_a_change_that_was_accepted_and_not_done(device_here: Bench):
    params, device = device_here
    device.ignores = "ini/incremental"
    with pytest.raises(
        GatewayError, match="incremental was accepted; nothing was changed within 0.5 s; nothing was saved"
    ):
        prefer(params, "site2")
    assert "POST /api/v1/actions/saveConfiguration" not in device.calls


def test_a_change_that_was_half_done_is_told_and_can_be_restored(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    load = device.store.load
    row = 'ProxyIp 2 = "1", 1, "10.71.1.100:5060", 0, 0, 0;'
    device.store.load = lambda text: load(text.replace(row, ""))
    with pytest.raises(GatewayError, match="ProxyIp 2, ipaddress: 10.71.1.100:5060 expected, 10.71.2.100:5061 met"):
        audiocodes.apply(params, change, "site2")
    device.store.load = load
    before = device.text
    audiocodes.apply(params, audiocodes.plan_restore(params, change.undo), None)
    assert device.store.running == before


def test_a_change_that_was_not_saved_is_told(device_here: Bench):
    params, device = device_here
    device.ignores = "saveConfiguration"
    with pytest.raises(GatewayError, match="saveNeeded false is expected .* true met; .* a reboot would undo it"):
        prefer(params, "site2")
    device.ignores = ""
    assert audiocodes.plan(params, "site2").reload
    assert prefer(params, "site2")["prefers"] == "site2"
    assert device.store.saved == device.store.running


def test_a_table_that_somebody_changed_after_the_plan_is_left(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    device.store.edit("10.71.3.10:5060", "10.71.3.11:5060")
    with pytest.raises(GatewayError, match="ProxyIp is not what it was when this was planned; nothing changed"):
        audiocodes.apply(params, change, "site2")
    assert "10.71.3.11:5060" in device.store.running and device.loaded == []


def test_a_device_that_is_too_busy_to_save_is_told(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    device.store.after_load = lambda: setattr(device, "refuses", "saveConfiguration")
    with pytest.raises(GatewayError, match="saveConfiguration: status 200 expected, 403 met.*a reboot would undo it"):
        audiocodes.apply(params, change, "site2")
    assert device.store.saved != device.store.running


def test_a_site_that_does_not_come_first_after_all_is_told(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    device.store.after_load = lambda: device.store.edit('"DefaultSRD", 1,', '"DefaultSRD", 0,')
    with pytest.raises(GatewayError, match="site2 is expected first, no site met"):
        audiocodes.apply(params, change, "site2")


def test_a_status_that_is_none(device_here: Bench):
    params, device = device_here
    device.status = lambda: {"error": "later"}
    with pytest.raises(GatewayError, match="GET /api/v1/status: an object with operationalState is expected"):
        audiocodes.plan(params, "site2")


def test_what_was_done_before_the_answer_was_read_is_only_saved(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    device.store.load(change.after + "\r\n")
    assert audiocodes.apply(params, change, "site2")["prefers"] == "site2"
    assert device.loaded == [] and device.store.saved == device.store.running


def test_restore_leaves_rows_that_were_added_meanwhile(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    audiocodes.apply(params, change, "site2")
    added = 'ProxyIp 3 = "1", 2, "10.71.1.101:5060", 0, 0, 0;\n'
    device.store.edit("\n[ \\ProxyIp ]", added + "\n[ \\ProxyIp ]")
    audiocodes.apply(params, audiocodes.plan_restore(params, change.undo), None)
    assert device.store.addresses(1) == [*TARGETS.values(), "10.71.1.101:5060"]


def test_restore_does_not_bring_back_an_address_that_was_replaced(device_here: Bench):
    params, device = device_here
    change = audiocodes.plan(params, "site2")
    audiocodes.apply(params, change, "site2")
    device.store.edit("10.71.1.100:5060", "10.71.1.200:5060")
    with pytest.raises(GatewayError, match='"10.71.1.200:5060" met: given meanwhile'):
        audiocodes.plan_restore(params, change.undo)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"DefaultSRD", 1,', '"DefaultSRD", 0,', "ProxyRedundancyMode is 0"),
        ('"SIP Servers", 1, 10, 0,', '"SIP Servers", 1, 10, 2,', "ProxyLoadBalancingMethod 2"),
    ],
)
def test_a_set_in_which_the_order_does_not_decide_is_refused(before: str, after: str, words: str):
    with running(INI.replace(before, after)) as (params, device):
        assert audiocodes.read(params)["prefers"] is None
        with pytest.raises(RefusedError, match=words):
            audiocodes.plan(params, "site2")
        assert device.loaded == []


def test_a_site_whose_address_is_not_in_the_set(device_here: Bench):
    params, device = device_here
    params["targets"]["site2"] = "10.71.2.200:5060"
    missing = audiocodes.read(params)["targets"]["site2"]
    assert (missing["admin"], missing["oper"], missing["state"]) == ("out_of_service", "unknown", "not in ProxySet 1")
    with pytest.raises(
        GatewayError, match="127.0.0.1.*files/ini: ProxySet 1: the address 10.71.2.200:5060 is expected"
    ):
        audiocodes.plan(params, "site2")
    assert device.loaded == []


def test_a_set_without_any_address():
    ini = INI.replace('ProxyIp 1 = "1"', 'ProxyIp 1 = "0"').replace('ProxyIp 2 = "1"', 'ProxyIp 2 = "0"')
    with running(ini) as (params, _device):
        assert audiocodes.read(params)["prefers"] is None


def test_without_keep_alive_the_devices_word_is_not_believed():
    with running(INI.replace('"SIP Servers", 1, 10', '"SIP Servers", 0, 10')) as (params, _device):
        target = audiocodes.read(params)["targets"]["site1"]
        assert (target["state"], target["oper"]) == ("ONLINE", "unknown")


def test_a_device_that_does_not_know_the_command_is_read_all_the_same(device_here: Bench):
    params, device = device_here
    device.knows_show = False
    found = audiocodes.read(params)
    assert found["prefers"] == "site1"
    assert {target["oper"] for target in found["targets"].values()} == {"unknown"}


def test_words_of_another_release(device_here: Bench):
    params, device = device_here
    device.store.states = {TARGETS["site1"]: "ALIVE", TARGETS["site2"]: "NO ANSWER"}
    assert audiocodes.read(params)["targets"]["site1"]["oper"] == "unknown"
    params["states"] = {"ALIVE": "up", "NO ANSWER": "down"}
    found = audiocodes.read(params)["targets"]
    assert [found[site]["oper"] for site in ("site1", "site2")] == ["up", "down"]


def test_the_doors_of_a_gateway(device_here: Bench, tmp_path: Path):
    params, device = device_here
    before = device.text
    for door, words in (("prefer", ("site2",)), ("prefer", ("site2",)), ("restore", ()), ("restore", ())):
        with run_step({"id": "run-7", "token": 7, "step": door}, str(tmp_path), False) as step:
            gateway = Gateway(audiocodes, params, record_here(str(tmp_path)))
            getattr(gateway, door)(*words, step)
        assert gateway.observe().gateway["prefers"] == (words[0] if words else "site1")
    assert device.text == before
    assert PASSWORD not in "".join(path.read_text() for path in tmp_path.iterdir())
