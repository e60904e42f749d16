# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business Continuity peering of one site, read from its SIP Servers' monitoring pages.

A SIP Server whose inter-site Trunk DN is out of service works in single-site mode by itself, and peers again when the
trunk is back (Genesys, SIP Server HA Deployment Guide, Disaster Recovery, step 6). One without `dr-peer-trunk` works so
always (`traditional single mode`), whatever its trunk does; that counts where its page tells the option. Nothing is
changed here: it is waited for, and asserted. Only the primary leg is asked; the backup's own view says nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import monitoring_page
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.trunks import SERVER_PAGE, TRUNK_PAGE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

SINGLE_SITE, PEERED, UNKNOWN = "single_site", "peered", "unknown"


def names_a_trunk(value: Optional[str]) -> bool:
    """Whether a value of `dr-peer-trunk` names a trunk. Its default is NULL; how that is written is not documented."""
    return value is not None and value.strip().upper() not in ("", "NULL")


class PeeringError(Exception):
    """The site is not in the mode that was asked for; the message has what its pages say, `seen` all of it."""

    def __init__(self, wanted: str, seen: Mapping[str, Any]) -> None:
        """Keep what was seen last."""
        self.seen = dict(seen)
        super().__init__(f"{wanted} expected, {seen['mode']} seen: {seen['detail']}")


@dataclass(frozen=True)
class Trunk:
    """The inter-site Trunk DN to the peer; `oos_check` is its option in seconds, 0 when it is not set."""

    dn: str
    oos_check: int = 0
    oos_force: int = 0


@dataclass(frozen=True)
class Pair:
    """One site's SIP Servers: legs by name with their address, the port of their monitoring pages, the trunk."""

    legs: Mapping[str, str]
    port: int
    trunk: Trunk
    settings: Settings

    def observe(self) -> Dict[str, Any]:
        """Return `{mode, primary, peer_trunk, trunk_in_service, legs: {name: {answers, run_mode, detail}}, detail}`.

        peer_trunk: the option dr-peer-trunk in force, empty without one; None where the primary's page does not tell.
        """
        with ThreadPoolExecutor(max_workers=max(1, len(self.legs))) as pool:
            legs = dict(zip(self.legs, pool.map(self._leg, self.legs.values())))
        primary = next((name for name, leg in legs.items() if leg["run_mode"] == "primary"), None)
        in_service, detail = self._trunk_of(primary)
        peer_trunk = legs[primary].pop("peer_trunk", None) if primary else None
        mode = {True: PEERED, False: SINGLE_SITE, None: UNKNOWN}[in_service]
        if peer_trunk is not None and not names_a_trunk(peer_trunk):
            mode, detail = SINGLE_SITE, f"dr-peer-trunk is not set; {detail}"
        return {
            "mode": mode,
            "primary": primary,
            "peer_trunk": peer_trunk,
            "trunk_in_service": in_service,
            "legs": legs,
            "detail": f"{primary or 'no leg'} runs as primary; {detail}",
        }

    def wait(self, wanted: str, deadline: float, interval: float) -> Dict[str, Any]:
        """Look until the site is in the wanted mode, `deadline` seconds at most. Raises PeeringError, RefusedError."""
        self._assert_visible()
        seen: List[Dict[str, Any]] = []

        def there() -> bool:
            seen.append(self.observe())
            return bool(seen[-1]["mode"] == wanted)

        if not wait_for(there, deadline, interval):
            raise PeeringError(wanted, seen[-1])
        return seen[-1]

    def verify(self, wanted: str) -> Dict[str, Any]:
        """Look once. Raises PeeringError unless the site is in the wanted mode."""
        return self.wait(wanted, deadline=0.0, interval=0.0)

    def readiness(self) -> List[Dict[str, Any]]:
        """Return what seeing single-site mode will need, each `{item, met, evidence, way}`."""
        seen = self.observe()
        silent = sorted(name for name, leg in seen["legs"].items() if not leg["answers"])
        return [
            {
                "item": "the monitoring page of every SIP Server answers",
                "met": not silent and bool(seen["legs"]),
                "evidence": f"no page from {', '.join(silent)}" if silent else f"{len(seen['legs'])} pages answer",
                "way": f"set http-port to {self.port} on the SIP Server application, and open it from the vantage host",
            },
            {
                "item": "one SIP Server runs as primary and its page tells about the trunk",
                "met": seen["trunk_in_service"] is not None,
                "evidence": seen["detail"],
                "way": "mend the trunk's dn in the inventory, or page_names, to what the page really says",
            },
            {
                "item": "oos-check is set on the inter-site Trunk DN",
                "met": self.trunk.oos_check > 0,
                "evidence": f"{self.trunk.dn}: oos-check {self.trunk.oos_check}, oos-force {self.trunk.oos_force}",
                "way": "set oos-check and oos-force on the Trunk DN, and in the inventory",
            },
        ]

    def _leg(self, address: str) -> Dict[str, Any]:
        answer = monitoring_page.look({"address": address, "port": self.port, "path": SERVER_PAGE}, self.settings)
        run_mode = answer.get("run_mode", "unknown")
        told = {key: answer[key] for key in ("peer_trunk",) if key in answer}
        return {"answers": answer["value"] == "up", "run_mode": run_mode, "detail": answer["detail"], **told}

    def _trunk_of(self, primary: Optional[str]) -> Tuple[Optional[bool], str]:
        if primary is None:
            return None, "the trunk's state is not known without one"
        check = {"address": self.legs[primary], "port": self.port, "path": TRUNK_PAGE, "dn": self.trunk.dn}
        answer = monitoring_page.look(check, self.settings)
        return {"up": True, "down": False}.get(answer["value"]), answer["detail"]

    def _assert_visible(self) -> None:
        if self.trunk.oos_check <= 0:
            raise RefusedError(
                guard="single-site mode is seen by the out-of-service detection of the inter-site Trunk DN",
                evidence=f"{self.trunk.dn} has oos-check {self.trunk.oos_check}",
                way="set oos-check and oos-force on the Trunk DN, and in the inventory",
            )
