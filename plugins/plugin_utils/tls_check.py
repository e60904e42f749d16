# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what the inventory says about SIP over TLS: who speaks it, by which name, with which certificates."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_case import Case
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import MISSING


def check_tls(case: Case) -> None:
    """Over TLS sites are asked by OPTIONS; test calls and phones are not. `continuity_policy` must have been read."""
    for name, site in case.sites.items():
        _check_server(case, f"continuity_sites.{name}.sip_server", site["sip_server"])
    if case.data["continuity_policy"]["synthetic_calls"]:
        _check_gateways(case)
    if "key" in (files := case.data.get("continuity_sip_tls", {})) and "certificate" not in files:
        case.add("continuity_sip_tls.certificate", "the certificate that belongs to continuity_sip_tls.key", MISSING)


def _check_server(case: Case, path: str, server: dict[str, object]) -> None:
    transport, server_name = server["transport"], server.get("server_name")
    phones = "continuity_phones_file" if case.data.get("continuity_phones_file") else "continuity_phones"
    if transport == "tls" and case.data[phones]:
        expected = f"udp or tcp while there are {phones}: they are not moved or asked over TLS"
        case.add(f"{path}.transport", expected, transport)
    if transport in ("udp", "tcp") and server_name is not None:
        expected = f"no such key with transport {transport}: only over TLS a name is compared with a certificate"
        case.add(f"{path}.server_name", expected, server_name)


def _check_gateways(case: Case) -> None:
    for name, gateway in case.data["continuity_gateways"].items():
        if gateway["transport"] == "tls":
            expected = "udp or tcp, or continuity_policy.synthetic_calls: false: test calls are not placed over TLS"
            case.add(f"continuity_gateways.{name}.transport", expected, "tls")
