# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what the inventory says about looking: test calls, the vantage points' paths, planned downtimes."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.vantage_paths import places, shared
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_case import Case
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import MISSING, did_you_mean


def check_test_calls(case: Case) -> None:
    """Test calls need a number at each site; `continuity_policy` must have been read before."""
    if not case.data["continuity_policy"]["synthetic_calls"]:
        return
    for name, site in case.sites.items():
        if "test_dn" not in site["sip_server"]:
            expected = "the number in quotes that test calls to this site dial, or continuity_policy.synthetic_calls: "
            case.add(f"continuity_sites.{name}.sip_server.test_dn", f"{expected}false", MISSING)


def check_paths(case: Case) -> None:
    """Vantage points in different places share no path, unless the inventory says that they do."""
    at, declared = places(case.data), case.data["continuity_paths_shared"]
    for host in case.data["continuity_paths"]:
        if host not in at:
            expected = f"a host that looks: vantage, witness or media gateway{did_you_mean(host, at)}"
            case.add(f"continuity_paths.{host}", expected, host)
    found = list(shared(case.data))
    if declared and not found:
        case.add("continuity_paths_shared", "false: no vantage points in two places share a path", True)
    for path, host, other in [] if declared else found:
        expected = f"no path of {other} ({at[other]}), or continuity_paths_shared: true if that is how it is"
        case.add(f"continuity_paths.{host}", expected, path)


def check_downtimes(case: Case) -> None:
    """A planned downtime is of a site or a gateway, and ends after it begins."""
    known = [*case.sites, *case.data["continuity_gateways"]]
    for index, window in enumerate(case.data["continuity_downtimes"]):
        path, name = f"continuity_downtimes[{index}]", window["name"]
        if name is not None and name not in known:
            case.add(f"{path}.name", f"a site or a media gateway{did_you_mean(name, known)}", name)
        begin, end = (_time(case, f"{path}.{key}", window[key]) for key in ("from", "until"))
        if begin and end and end <= begin:
            case.add(f"{path}.until", f"a time after {window['from']}", window["until"])


def _time(case: Case, path: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        case.add(path, "a time that the calendar has", text)
        return None
