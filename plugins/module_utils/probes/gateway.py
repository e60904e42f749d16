# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `gateway`: which sites does this media gateway reach? Run on the gateway's own host, or from elsewhere.

Parameters: driver, options (the driver's own), sites ({site: {address, port, transport, server_name}}), elsewhere,
socket_path (of the connection to a gateway on which no module runs). Two looks at each site: an OPTIONS from here, then
the state that the gateway's own keep-alive has found. From elsewhere an OPTIONS would be no word of the gateway: there
is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import DRIVERS, connected
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.sip_options import ask


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """`targets`: {site: {value, answered, options, state, priority, rtt, detail}}; value: up when it reaches any site.

    The keep-alive is read last: while silence is being waited for, it notices too.
    """
    seen = _not_asked(check["sites"]) if check.get("elsewhere") else _asked(check["sites"], settings)
    driver = DRIVERS[check["driver"]]
    try:
        running = driver.read(connected(driver, check.get("options", {}), check.get("socket_path")))
    except Exception as error:  # whatever a device does when it is asked, it has then told nothing
        targets = {site: unheard(one) for site, one in seen.items()}
        return _summary(targets, None, f"its state could not be read: {error}", readable=False)
    targets = {site: judge(one, running["targets"].get(site)) for site, one in seen.items()}
    return _summary(targets, running["prefers"], f"prefers {running['prefers'] or 'no site'}", readable=True)


def judge(seen: Answer, target: Optional[Mapping[str, Any]]) -> Answer:
    """One site as this gateway sees it: what its own keep-alive found, else the OPTIONS from its host.

    A keep-alive that is down while the OPTIONS came through stays down, but answered: the gateway sends no calls there,
    and yet the site is heard. The administrative state says nothing: a target taken out is judged by the OPTIONS.
    """
    if target is None:
        return {**seen, "detail": f"no target of this gateway; OPTIONS: {seen['detail']}"}
    detail = f"keep-alive {target['state']}, OPTIONS: {seen['detail']}"
    known = {**seen, "state": target["state"], "priority": target["priority"], "detail": detail}
    probed = target["oper"] in ("up", "down") and not target["state"].endswith("X")
    if not probed:
        return known
    answered = bool(seen["answered"]) or target["oper"] == "up"
    return {**known, "value": target["oper"], "answered": answered}


def unheard(seen: Answer) -> Answer:
    """One site when the gateway told nothing: its host's OPTIONS is no word of the gateway, but a sign of life."""
    return {**seen, "value": "unknown", "detail": f"the gateway is silent; OPTIONS from its host: {seen['detail']}"}


def _asked(sites: Mapping[str, Any], settings: Settings) -> dict[str, Answer]:
    # What the host alone saw is kept apart: inside its own site it is a witness of its own.
    found = zip(sites, ask(sites.values(), settings.sip_client()))
    return {site: {**one, "options": one["value"]} for site, one in found}


def _not_asked(sites: Mapping[str, Any]) -> dict[str, Answer]:
    return {site: answer("unknown", False, "none from elsewhere", options="unknown") for site in sites}


def _summary(targets: Mapping[str, Answer], prefers: Optional[str], detail: str, readable: bool) -> Answer:
    values = [one["value"] for one in targets.values()]
    value = "up" if "up" in values else "down" if values and set(values) == {"down"} else "unknown"
    return answer(value if readable else "unknown", readable, detail, targets=dict(targets), prefers=prefers)
