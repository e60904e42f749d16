# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules by which the reports of many vantage points become one signal (decision.md, "What is observed").

Each rule gives `{value, answered, of: [up, asked], by: {reporter: {value, detail, rtt}}}`; `of` counts independent
views (vantage_paths.py), for `redundancy` the site's parts. All hold to one thing: a missing answer is never `down`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import trunks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_base import (
    Signal,
    Site,
    any_up,
    plain,
    signal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_calls import calls, capacity
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_redundancy import redundancy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports, word


def inside(site: Site) -> Signal:
    """up: a SIP Server of the pair answers a host inside (by design only the primary does); down: one of those hosts
    could look, none got an answer, and every monitoring page that came names a backup.

    A SIP Server that is overloaded turns OPTIONS away and runs: its page must not be taken for a dead one's.
    """
    reports = site.reports.of("inside", site.name)
    words = {one.host: one.word for one in reports if one.check["kind"] == "sip_options"}
    for gateway in site.gateways_inside():
        target = site.reports.target(gateway, site.name)
        words[gateway.host] = {**word(target), "value": target["options"]} if target else gateway.word
    pages = [one for one in reports if one.check["kind"] == "monitoring_page"]
    value = any_up([one["value"] for one in words.values()])
    if value == "down" and any(_may_be_primary(one) for one in pages):
        value = "unknown"
    # A host inside that we reached is a sign of life, whatever it could find out.
    of = site.views((host, one["value"]) for host, one in words.items())
    words.update({one.reporter: one.word for one in pages})
    return signal(value, bool(site.inside[site.name] & site.reports.reached), of, words)


def peer(site: Site) -> Signal:
    """What the other site's hosts see of the SIP address; one of them that can look is enough."""
    return plain(site, site.reports.of("peer", site.name))


def witness(site: Site) -> Signal:
    """What the third place sees of the SIP address."""
    return plain(site, site.reports.of("witness", site.name))


def gateways(site: Site) -> Signal:
    """up: any gateway anywhere reaches the site. down: a gateway outside it says down, and none is silent.

    Excused are the silent gateways of a site that is silent as a whole, and those in a declared downtime.
    """
    words: dict[str, dict[str, Any]] = {}
    for one in site.reports.of_gateways():
        target = site.reports.target(one, site.name)
        words[one.host] = word(target) if target else one.word
    values = {name: one["value"] for name, one in words.items()}
    outside = [value for name, value in values.items() if site.gateways[name] != site.name]
    silent = [name for name, value in values.items() if value == "unknown" and not site.excused(name)]
    down = "down" in outside and not silent
    value = "up" if "up" in values.values() else "down" if down else "unknown"
    answered = any(_answered(site, one) for one in site.reports.of_gateways())
    return signal(value, answered, site.views(values.items()), words)


def trunk(site: Site) -> Signal:
    """What the site's SIP Server says of its Trunk DN: the word of the primary leg (trunks.voters).

    Our own look along the trunk stands under `by` and does not vote; `monitoring`, `probe`, `agree` and `detail` set
    the two beside each other.
    """
    seen = plain(site, trunks.voters(site.reports, site.name))
    seen["value"] = trunks.said(site.reports, site.name)
    seen["by"].update({one.reporter: one.word for one in trunks.own_looks(site.reports, site.name)})
    return {**seen, **trunks.direction(site.reports, site.name, site.peer)}


def mgmt(site: Site) -> Signal:
    """What the other site's hosts reach of the management (SSH, LCA); a refusal is down, but an answer."""
    return plain(site, site.reports.of("mgmt", site.name))


def master(site: Site) -> Signal:
    """up: somebody saw a session on a writable database. down: somebody got a refusal, nothing or a read-only answer.

    A port that stands open, with a database that nobody could ask, outweighs the silence that others met.
    """
    reports = site.reports.of("master", site.name)
    seen = plain(site, reports)
    said_down = any(one.value == "down" and one.answered for one in reports)
    port_open = any(one.value == "unknown" and one.answered for one in reports)
    if seen["value"] == "down" and port_open and not said_down:
        seen["value"] = "unknown"
    return seen


def database(site: Site) -> dict[str, Any]:
    """Role of the site's Configuration Database; for a standby, the lag in bytes that its primary measured now.

    A standby's lag is null when its primary did not answer: what a dead primary had more is not known. It is 0 all the
    same where commits waited for the standby: then nothing that was confirmed is missing here.
    """
    role = _role(site.reports, site.name)
    primaries = [one for one in site.reports.of("database", site.peer) if (one.answer or {}).get("role") == "primary"]
    lags = [one.answer["lag"] for one in primaries if one.answer and one.answer["lag"] is not None]
    unmeasured = 0 if site.synchronous else None
    return {"role": role, "lag": (max(lags) if lags else unmeasured) if role == "standby" else None}


RULES: dict[str, Callable[[Site], Signal]] = {
    "inside": inside,
    "redundancy": redundancy,
    "peer": peer,
    "witness": witness,
    "gateways": gateways,
    "calls": calls,
    "trunk": trunk,
    "mgmt": mgmt,
    "master": master,
    "capacity": capacity,
}
"""Every signal; one that nobody was asked about is unknown."""


def _may_be_primary(page: Report) -> bool:
    """Whether something serves the page and does not say that it is the backup; its run mode may be unreadable."""
    return page.answered and page.value != "down" and (page.answer or {}).get("run_mode") != "backup"


def _answered(site: Site, gateway: Report) -> bool:
    target = site.reports.target(gateway, site.name)
    return bool(target and target["answered"])


def _role(reports: Reports, name: str) -> str:
    said = [(one.answer or {}).get("role", "unknown") for one in reports.of("database", name)]
    return next((role for role in said if role != "unknown"), "unknown")
