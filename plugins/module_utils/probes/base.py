# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of check shares: the settings it is given and the answer it returns."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.addresses import is_out_of_reach
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import CallSettings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient, Tls

Answer = dict[str, Any]


@dataclass(frozen=True)
class Database:
    """How to look at a Configuration Database.

    name: the database. user: the monitoring role (needs pg_monitor). server_role: the role that the Configuration
    Server logs in with. passfile: a libpq password file on the vantage host, empty for none.
    """

    name: str = "config"
    user: str = "sipdr_monitor"
    server_role: str = "confserv"
    passfile: str = ""


@dataclass(frozen=True)
class Settings:
    """The policy's timers in seconds, and what else the checks need.

    call_tries: test calls of one check. call_quorum: how many must be completed. call_deadline: seconds for each.
    tls: certificates for what is asked over TLS.
    """

    sip_t1: float = 0.2
    sip_tries: int = 6
    probe_deadline: float = 8.0
    connect_timeout: float = 3.0
    call_tries: int = 3
    call_quorum: int = 2
    call_deadline: float = 5.0
    page_names: PageNames = field(default_factory=PageNames)
    database: Database = field(default_factory=Database)
    tls: Tls = field(default_factory=Tls)

    def sip_client(self) -> SipClient:
        """A SIP client with the policy's timers."""
        return SipClient(t1=self.sip_t1, tries=self.sip_tries, deadline=self.probe_deadline, tls=self.tls)

    def call_settings(self) -> CallSettings:
        """How test calls are placed with the policy's timers."""
        return CallSettings(t1=self.sip_t1, tries=self.sip_tries, deadline=self.call_deadline)


def answer(value: str, answered: bool, detail: str, **more: object) -> Answer:
    """One answer. value: up, down or unknown; answered: whether anything came back; detail: one line for a person."""
    return {"value": value, "answered": answered, "detail": detail, **more}


def no_connection(error: OSError, address: str) -> Answer:
    """The answer of a TCP connection to `address` that failed.

    A refusal is down, but somebody at that address said it: answered. Silence is down, and so is what a router on the
    way says (net or host unreachable). What our own host could not even try (no route, no socket) says nothing about
    the other end: unknown.
    """
    detail = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ConnectionError):
        return answer("down", True, detail)
    if isinstance(error, (TimeoutError, socket.timeout)) or is_out_of_reach(error, address):
        return answer("down", False, detail)
    return answer("unknown", False, detail)
