"""Targets from an inventory and from files: what is taken, and what is refused by its place."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.targets import (
    TargetError,
    read_file,
    read_targets,
)


def test_only_an_address_is_needed():
    (target,) = read_targets([{"address": "10.0.0.1"}])
    assert (target.name, target.port, target.transport) == ("10.0.0.1:5060/udp", 5060, "udp")
    assert target.request().uri == "sip:10.0.0.1:5060"


def test_all_fields():
    row = {"name": "a", "address": "2001:db8::1", "port": "5070", "transport": "TLS", "server_name": "sip.example.net"}
    (target,) = read_targets([row])
    assert (target.name, target.address, target.port, target.transport) == ("a", "2001:db8::1", 5070, "tls")
    assert target.request().server_name == "sip.example.net"
    assert target.request().uri == "sip:[2001:db8::1]:5070;transport=tls"


def test_tls_has_a_port_of_its_own():
    assert read_targets([{"address": "a", "transport": "tls"}])[0].port == 5061


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "address"),
        ({"address": "a b"}, "address"),
        ({"address": "a\r\nX: y"}, "address"),
        ({"address": "a>"}, "address"),
        ({"address": "a", "port": 70000}, "port"),
        ({"address": "a", "port": "sip"}, "port"),
        ({"address": "a", "port": True}, "port"),
        ({"address": "a", "transport": "sctp"}, "transport is one of udp, tcp, tls"),
        ({"address": "a", "adress": "b"}, "adress is not one of name"),
        ("10.0.0.1", "a mapping is expected"),
    ],
)
def test_refused_by_its_place(row, words):
    with pytest.raises(TargetError, match=r"targets\[1\]") as refused:
        read_targets([{"address": "fine"}, row])
    assert words in str(refused.value)


def test_csv(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(
        "\ufeffname,address,port\r\n# the branch office\r\none,10.0.0.1,\r\n\r\n,10.0.0.2,5070\r\n", "utf-8"
    )
    targets = read_file(str(path))
    assert [(one.name, one.port) for one in targets] == [("one", 5060), ("10.0.0.2:5070/udp", 5070)]


def test_json(tmp_path):
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"address": "10.0.0.1", "port": 5070}]))
    assert read_file(str(path))[0].port == 5070


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "10.0.0.1\n10.0.0.2\n"),
        ("a.csv", "address\n10.0.0.1,5060\n"),
        ("a.csv", 'address\n"open\n'),
        ("a.json", "{"),
        ("a.json", '{"address": "10.0.0.1"}'),
        ("a.json", '["10.0.0.1"]'),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TargetError, match=name):
        read_file(str(path))


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"name,address\nZ\xfcrich,10.0.0.1\n")
    with pytest.raises(TargetError, match=r"a\.csv"):
        read_file(str(path))


def test_an_empty_file(tmp_path):
    (tmp_path / "a.csv").write_text("")
    assert read_file(str(tmp_path / "a.csv")) == []
