"""Yealink's provisioning file: only the server's two keys change, and they come back exactly."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones import yealink
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Server

SITE2 = Server("10.71.2.100", 5080)
FILE = """#!version:1.0.0.1
account.1.user_name = 1021
  account.1.sip_server.1.address=10.71.1.100\t
account.1.sip_server.1.port = 5060
account.1.sip_server.2.address = 10.9.9.9
account.11.sip_server.1.address = 10.8.8.8
"""


@pytest.mark.parametrize("text", [FILE, FILE.replace("\n", "\r\n"), FILE.rstrip("\n")])
def test_address_and_port_are_replaced_and_put_back_exactly(text: str) -> None:
    before = yealink.values(text)
    after = yealink.with_values(text, yealink.toward(SITE2))
    assert yealink.registers_with(yealink.values(after)) == SITE2
    assert after.count("10.9.9.9") == after.count("10.8.8.8") == 1
    assert yealink.with_values(after, before) == text


def test_keys_that_are_not_there_are_added_and_removed_again() -> None:
    text = "account.1.user_name = 1021\n"
    after = yealink.with_values(text, yealink.toward(SITE2))
    assert after.startswith(text)
    assert yealink.registers_with(yealink.values(after)) == SITE2
    assert yealink.with_values(after, yealink.values(text)) == text


def test_without_a_port_it_is_5060() -> None:
    text = "account.1.sip_server.1.address = sip.example\n"
    assert yealink.registers_with(yealink.values(text)) == Server("sip.example", 5060)
