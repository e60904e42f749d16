"""Every make: only what names the servers changes, everything else stays byte for byte and comes back exactly."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError, Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import phone_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Make
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS, drivers_of

SITE1, SITE2, SITE3 = Server("10.71.1.100"), Server("10.71.2.100", 5080), Server("10.71.3.100")
PHONE = phone_of(
    {"name": "a", "dn": "1021", "address": "::1", "mac": "0015650000af", "label": 'R&D "<b>"', "password": "s3<c>r&t"}
)

FILES = {
    "yealink": """#!version:1.0.0.1
# account.1.sip_server.1.address = 10.5.5.5
account.1.user_name = 1021
  account.1.sip_server.1.address=10.71.1.100\t
account.1.sip_server.1.port = 5060
account.2.sip_server.1.address = 10.9.9.9
account.11.sip_server.1.address = 10.8.8.8
""",
    "audiocodes_hd": """voip/line/0/id=1021
; voip/signalling/sip/proxy_address=10.5.5.5
voip/signalling/sip/proxy_address=10.71.1.100
voip/signalling/sip/proxy_port=5060
voip/signalling/sip/sip_registrar/addr=10.71.1.100
voip/signalling/sip/sip_registrar/port=5060
system/ntp/primary_server_address=10.9.9.9
network/lan_type=10.8.8.8
""",
    "poly": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<!-- reg.1.server.1.address="10.5.5.5" -->
<polycomConfig>
  <reg reg.1.address='1021'
       reg.1.server.1.address="10.71.1.100" reg.1.server.1.port = '5060'
       reg.2.server.1.address="10.9.9.9" />
  <ntp tcpIpApp.sntp.address="10.8.8.8" note="a > b &amp; c"/>
</polycomConfig>
""",
    "cisco_mpp": """<device>
  <!-- <Proxy_1_>10.5.5.5</Proxy_1_> -->
  <flat-profile>
    <User_ID_1_ ua="na">1021</User_ID_1_>
    <Proxy_1_ ua="na">10.71.1.100:5060</Proxy_1_>
    <Proxy_2_ ua="na">10.9.9.9</Proxy_2_>
    <Primary_NTP_Server ua="na">10.8.8.8</Primary_NTP_Server>
    <Text_Logo group="a/b"/>
  </flat-profile>
</device>
""",
    "snom": """<?xml version="1.0" encoding="utf-8"?>
<settings>
 <phone-settings e="2">
  <user_name idx="1" perm="">1021</user_name>
  <user_pass idx="1" perm="">s3cret</user_pass>
  <user_host idx='1' perm='R'>10.71.1.100:5060</user_host><!-- <user_host idx="1">10.5.5.5</user_host> -->
  <user_host idx="3" perm="">10.9.9.9</user_host>
  <ntp_server perm="">10.8.8.8</ntp_server>
 </phone-settings>
</settings>
""",
    "genesys_softphone": """<?xml version="1.0" encoding="utf-8"?>
<SoftphoneConfig>
  <Container name="Genesys">
    <!-- <Connectivity user="1" server="10.5.5.5"/> -->
    <Connectivity user ="1021" server="10.71.1.100:5060" protocol="udp"/>
  </Container>
  <setting name="ntp" value="10.9.9.9"/>
  <setting name="log" value="10.8.8.8"/>
</SoftphoneConfig>
""",
}

MAKES = pytest.mark.parametrize("make", DRIVERS.values(), ids=DRIVERS)


def given(make: Make, text: str, mode: str = "dual", expires: int = 120) -> str:
    """The text with both sites in it."""
    return make.with_values(text, make.day_one(make.values(text), [SITE1, SITE2], mode, expires))


def moved(make: Make, text: str, server: Server) -> tuple[str, str]:
    """The text after a move, and after its restoration from what was kept."""
    values = make.values(text)
    wanted = make.toward(values, server)
    after = make.with_values(text, wanted)
    return after, make.with_values(after, {key: values[key] for key in wanted})


def test_there_is_a_file_for_every_make() -> None:
    assert set(FILES) == set(DRIVERS)


@MAKES
@pytest.mark.parametrize("ends", ["\n", "\r\n", ""])
def test_the_server_is_replaced_and_put_back_exactly(make: Make, ends: str) -> None:
    text = FILES[make.name].rstrip("\n") if not ends else FILES[make.name].replace("\n", ends)
    assert make.registers_with(make.values(text)) == SITE1
    after, restored = moved(make, text, SITE2)
    assert make.registers_with(make.values(after)) == SITE2
    assert [after.count(other) for other in ("10.5.5.5", "10.8.8.8", "10.9.9.9")] == [1, 1, 1]
    assert restored == text
    assert "10.71.1.100" not in after


@MAKES
@pytest.mark.parametrize("mode", ["single", "dual"])
def test_both_sites_from_day_one_and_nothing_the_second_time(make: Make, mode: str) -> None:
    text = given(make, make.new_text(PHONE, None), mode)
    values = make.values(text)
    standing = make.standing(values)
    both = (SITE1, SITE2) if (make.name, mode) != ("genesys_softphone", "single") else (SITE1,)
    assert (standing.servers, standing.mode) == (both, mode)
    assert standing.expires == (120 if make.default_expires else None)
    assert make.problems(values, mode, 300) == ()
    assert given(make, text, mode) == text


@MAKES
@pytest.mark.parametrize("mode", ["single", "dual"])
def test_a_file_that_is_there_keeps_the_rest(make: Make, mode: str) -> None:
    text = given(make, FILES[make.name], mode)
    assert make.problems(make.values(text), mode, 300) == ()
    assert [text.count(other) for other in ("10.5.5.5", "10.8.8.8", "10.9.9.9")] == [1, 1, 1]
    assert given(make, text, mode) == text


@MAKES
def test_a_single_phone_with_both_sites_gets_them_in_the_other_order(make: Make) -> None:
    text = given(make, FILES[make.name], "single")
    after, restored = moved(make, text, SITE2)
    assert make.registers_with(make.values(after)) == SITE2
    if make.name != "genesys_softphone":
        assert make.standing(make.values(after)).servers == (SITE2, SITE1)
    assert restored == text
    assert make.standing(make.values(moved(make, text, SITE3)[0])).servers[0] == SITE3


@MAKES
def test_from_one_mode_to_the_other(make: Make) -> None:
    text = given(make, given(make, FILES[make.name], "dual"), "single")
    assert make.standing(make.values(text)).mode == "single"
    assert make.standing(make.values(given(make, text, "dual"))).servers == (SITE1, SITE2)


@MAKES
def test_what_is_wrong_is_named_by_its_key(make: Make) -> None:
    values = make.values(FILES[make.name])
    keys = make.keys
    assert any(
        problem.startswith(f"{keys['address2']}: the second site") for problem in make.problems(values, "dual", 300)
    )
    for key in (keys["user"], keys["address1"]):
        assert any(problem.startswith(f"{key}: ") for problem in make.problems({**values, key: ""}, "single", 300))
    both = make.values(given(make, FILES[make.name]))
    same = {**both, **make.naming([SITE1, SITE1], "dual")}
    assert any("the same server" in problem for problem in make.problems(same, "dual", 300))


@pytest.mark.parametrize(
    "make", [make for make in DRIVERS.values() if make.default_expires], ids=lambda make: make.name
)
def test_an_expiry_over_policy_is_named(make: Make) -> None:
    key = make.keys["expires1"]
    assert f"{key}: not set, and the make's 3600 s are over 300" in make.problems(
        make.values(FILES[make.name]), "single", 300
    )
    long = make.values(given(make, FILES[make.name], expires=600))
    assert f"{key}: 600 s, 1 to 300 are allowed" in make.problems(long, "dual", 300)
    with pytest.raises(PhoneError, match="a number expected"):
        make.problems({**long, key: "soon"}, "dual", 300)


@MAKES
def test_no_event_restarts_a_phone(make: Make) -> None:
    assert make.check_sync in ("check-sync;reboot=false", "check-sync", "resync", "")
    text = given(make, make.new_text(PHONE, None))
    says_no_reboot = {
        "yealink": "sip.notify_reboot_enable = 0",
        "poly": 'checkSync.alwaysReboot="0"',
        "audiocodes_hd": "force_reboot_enabled=0",
    }
    assert says_no_reboot.get(make.name, "") in text
    assert not make.restarts(make.values(text))
    assert make.restarts(make.values(FILES[make.name])) is (make.name == "yealink")
    if make.name in says_no_reboot:
        assert make.restarts({**make.values(text), make.restart_of[0]: "1"})


@MAKES
def test_a_value_is_escaped_and_read_back(make: Make) -> None:
    text = make.new_text(PHONE, None)
    make.values(text)
    with pytest.raises(PhoneError):
        make.syntax.escaped("1\n2")
    key = make.keys["user"]
    assert make.values(make.with_values(text, {key: "R&D 'x' \"y\" <z>"}))[key] == "R&D 'x' \"y\" <z>"


@MAKES
def test_a_file_name_never_leaves_the_directory(make: Make) -> None:
    named = drivers_of({make.name: {"file_name": "phones/{mac}-{MAC}.{dn}"}}).of(
        phone_of({"name": "a", "dn": "1", "address": "::1", "mac": "0015650000af", "driver": make.name})
    )
    assert named.file_name(PHONE) == "phones/0015650000af-0015650000AF.1021"
    for wrong in ("../{mac}", "/etc/{dn}", "a/b/{dn}", "{mac}/.hidden"):
        with pytest.raises(PhoneError, match="no name below"):
            drivers_of({make.name: {"file_name": wrong}}).by_name[make.name].file_name(PHONE)


@pytest.mark.parametrize("name", ["poly", "cisco_mpp", "snom", "genesys_softphone"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<a><b></a>", "line 1: it is not well-formed XML"),
        ("", "it is not well-formed XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a/>', "<!DOCTYPE"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "XML|encoding"),
    ],
)
def test_xml_that_is_none_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(PhoneError, match=said):
        DRIVERS[name].values(text)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_key_that_stands_twice_is_refused(name: str) -> None:
    lines = FILES[name].splitlines(keepends=True)
    twice = "".join(
        line * 2 if "10.71.1.100" in line and "addr=" not in line and name != "poly" else line for line in lines
    )
    if name == "poly":
        twice = FILES[name].replace("<ntp ", '<ntp reg.1.server.1.address="10.1.1.1" ')
    if name == "genesys_softphone":  # there a second one is a second registration
        assert len(DRIVERS[name].standing(DRIVERS[name].values(twice)).servers) == 2
        return
    with pytest.raises(PhoneError, match="twice"):
        DRIVERS[name].values(twice)


def test_bytes_that_are_no_utf8_come_through() -> None:
    text = b'<?xml version="1.0" encoding="iso-8859-1"?>\n<a><reg reg.1.address="1" label="M\xfcller"/></a>'
    poly = DRIVERS["poly"]
    after = given(poly, text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    assert b'label="M\xfcller"' in after


def test_snom_second_identity_is_the_first_one_and_its_password_does_not_show() -> None:
    snom = DRIVERS["snom"]
    wanted = snom.day_one(snom.values(FILES["snom"]), [SITE1, SITE2], "dual", 60)
    assert (wanted["user_name[2]"], wanted["user_pass[2]"]) == ("1021", "s3cret")
    assert snom.shown("user_pass[2]", "s3cret") == "(secret)"
    assert snom.shown("user_name[2]", "1021") == "1021"


def test_cisco_names_both_servers_in_one_value_unless_its_firmware_cannot() -> None:
    cisco = DRIVERS["cisco_mpp"]
    assert '<Proxy_1_ ua="na">sip-dr:SRV=10.71.1.100:5060:p=0|10.71.2.100:5080:p=1</Proxy_1_>' in given(
        cisco, FILES["cisco_mpp"], "single"
    )
    old = drivers_of({"cisco_mpp": {"srv_list": "no"}}).by_name["cisco_mpp"]
    text = FILES["cisco_mpp"]
    assert old.naming([SITE1, SITE2], "single") == {"Proxy_1_": "10.71.1.100:5060"}  # type: ignore[attr-defined]
    assert old.day_one(old.values(text), [SITE1, SITE2], "single", 60)["Use_DNS_SRV_1_"] == "No"


def test_an_empty_element_takes_a_value() -> None:
    cisco = DRIVERS["cisco_mpp"]
    text = FILES["cisco_mpp"].replace('<Proxy_1_ ua="na">10.71.1.100:5060</Proxy_1_>', '<Proxy_1_ ua="na"/>')
    assert cisco.registers_with(cisco.values(text)).address == ""
    assert '<Proxy_1_ ua="na">10.71.2.100:5080</Proxy_1_>' in moved(cisco, text, SITE2)[0]


def test_keys_that_could_not_be_verified_are_options() -> None:
    ours = drivers_of({"audiocodes_hd": {"redundant_address": "voip/ours", "redundant_mode_dual": "Both"}})
    make = ours.by_name["audiocodes_hd"]
    assert make.day_one({}, [SITE1, SITE2], "dual", 60)["voip/ours"] == "10.71.2.100"
    assert make.day_one({}, [SITE1, SITE2], "dual", 60)["voip/signalling/sip/redundant_proxy/mode"] == "Both"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nokia": {}}, "driver_options.nokia: there is no such driver"),
        ({"snom": {"colour": "red"}}, "driver_options.snom.colour: there is no such option"),
        ({"cisco_mpp": {"srv_list": False}}, "driver_options.cisco_mpp.srv_list: a text expected, False given"),
        ({"snom": "x"}, "driver_options.snom: options"),
    ],
)
def test_wrong_options_are_named(options: dict, said: str) -> None:
    with pytest.raises(PhoneError, match=said):
        drivers_of(options)


@pytest.mark.parametrize("text", ["x y", "10.0.0.1:sip", "a:b:c"])
def test_an_address_that_is_none_is_named_with_its_key(text: str) -> None:
    snom = DRIVERS["snom"]
    wrong = FILES["snom"].replace("10.71.1.100:5060", text)
    if text == "x y":
        assert snom.registers_with(snom.values(wrong)).address == "x y"
        return
    with pytest.raises(PhoneError, match=r"user_host\[1\]: host:port expected"):
        snom.registers_with(snom.values(wrong))


def test_ipv6_and_a_missing_port() -> None:
    snom = DRIVERS["snom"]
    six = Server("2001:db8::1", 5070)
    assert snom.registers_with(snom.values(moved(snom, FILES["snom"], six)[0])) == six
    assert snom.registers_with({"user_host[1]": "sip.example"}) == Server("sip.example", 5060)
    assert DRIVERS["yealink"].registers_with({"account.1.sip_server.1.address": "sip.example"}) == Server("sip.example")
