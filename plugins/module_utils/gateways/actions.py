# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a media gateway, whatever its make: prefer a site, put back what stood, verify."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Protocol

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import registry
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import Change, Driver, GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import detail, grade, options_to

RECORD = "media_gateway"
"""Name of the record in the state directory that holds what stood before the first change; a name is put behind it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # it becomes a part of a file's name


class Record(Protocol):
    """What stood before the first change, until it has been put back."""

    def read(self) -> Optional[Dict[str, Any]]:
        """Return it, or None where nothing was changed. Raises ValueError where it cannot be understood."""

    def keep(self, before: Dict[str, Any]) -> None:
        """Keep what is not kept yet."""

    def forget(self) -> None:
        """It has been put back."""


class Given:
    """What the caller keeps, because nothing can be kept where the module runs."""

    def __init__(self, before: Mapping[str, Any]) -> None:
        """Take what the caller has kept; empty where that is nothing yet."""
        self._before = dict(before)

    def read(self) -> Optional[Dict[str, Any]]:
        """Return it, or None where there is nothing."""
        return self._before or None

    def keep(self, before: Dict[str, Any]) -> None:
        """Do nothing: the caller has asked for it (Gateway.standing) before the first change."""

    def forget(self) -> None:
        """Do nothing: the caller does."""


def record_here(state_dir: str, name: str = "") -> Recorded:
    """Return the record on this host; `name` tells apart several gateways that are managed from it.

    Raises GatewayError for a name that could not be a part of a file's.
    """
    if name and not _NAME.fullmatch(name):
        raise GatewayError(f"a gateway's name has letters, digits, dots, dashes and underscores; {name!r} met")
    return Recorded(state_dir, f"{RECORD}.{name}" if name else RECORD)


@dataclass(frozen=True)
class Outcome:
    """How an action ended: one sentence, the texts for the diff, the gateway as it runs (empty in check mode)."""

    changed: bool
    detail: str
    before: str = ""
    after: str = ""
    gateway: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gateway:
    """One gateway: its driver, the driver's options, and the record of what stood before the first change."""

    driver: Driver
    params: Mapping[str, Any]
    record: Record
    check_mode: bool = False

    def prefer(self, site: str, step: Step) -> Outcome:
        """Let new calls go to `site` first; both sites stay in service. Raises GatewayError, StaleTokenError."""
        change = self.driver.plan(self.params, site)
        if not change.needed:
            return self._unchanged(change, f"{site} is preferred already")
        if not self.check_mode:
            # The record must be on the disk before the first change is: a killed run can then be undone.
            self.record.keep(change.undo)
        return self._apply(change, step, f"{site} preferred", site)

    def restore(self, step: Step) -> Outcome:
        """Put back what stood before the first change; without a record nothing was changed, and nothing is done."""
        undo = self._recorded()
        if undo is None:
            return Outcome(changed=False, detail="nothing to restore: no change is recorded")
        change = self.driver.plan_restore(self.params, undo)
        detail = "the order that stood before the first change is back"
        outcome = self._apply(change, step, detail) if change.needed else self._unchanged(change, detail)
        if not self.check_mode:
            self.record.forget()
        return outcome

    def observe(self) -> Outcome:
        """Return the gateway as it runs. Raises GatewayError when it cannot be read."""
        running = self.driver.read(self.params)
        return Outcome(False, f"prefers {running['prefers'] or 'no site'}", gateway=running)

    def standing(self, site: str) -> Dict[str, Any]:
        """Return what preferring `site` would take away, as `restore` wants it; empty where nothing would change."""
        change = self.driver.plan(self.params, site)
        return change.undo if change.needed else {}

    def readiness(self, sites: List[str]) -> List[Dict[str, Any]]:
        """Return what a change will need, met or not."""
        return self.driver.readiness(self.params, sites)

    def verify(self, site: str, addresses: Mapping[str, Mapping[str, Any]], client: Optional[SipClient]) -> Outcome:
        """Return the gateway as it runs. Raises GatewayError unless `site` comes first and answers OPTIONS.

        Without a client the gateway is not here, and its own keep-alive must have found the site up.
        """
        running = self.driver.read(self.params)
        if running["prefers"] != site:
            raise GatewayError(f"{site} should be preferred, the gateway prefers {running['prefers'] or 'no site'}")
        if site not in addresses:
            raise GatewayError(f"sites has no address of {site}, it has {', '.join(addresses) or 'none'}")
        answered = _answer(site, addresses[site], client) if client else _kept_alive(site, running["targets"])
        return Outcome(False, f"{site} is preferred; {answered}", gateway=running)

    def by_hand(self, site: Optional[str]) -> List[str]:
        """Return what a person does at the gateway to prefer `site`; None: to put back what stood."""
        try:
            return self._put_back() if site is None else self.driver.explain(self.params, site)
        except (GatewayError, OSError) as error:
            return [f"not known: {error}"]

    def _put_back(self) -> List[str]:
        return [f"put back {key}: {value}" for key, value in sorted((self._recorded() or {}).items())]

    def _recorded(self) -> Optional[Dict[str, Any]]:
        try:
            return self.record.read()
        except ValueError as error:
            raise GatewayError(f"what stood before the first change cannot be read: {error}") from error

    def _apply(self, change: Change, step: Step, detail: str, site: Optional[str] = None) -> Outcome:
        if self.check_mode:
            return Outcome(True, detail, change.before, change.after)
        step.assert_newest()
        return Outcome(True, detail, change.before, change.after, self.driver.apply(self.params, change, site))

    def _unchanged(self, change: Change, detail: str) -> Outcome:
        return Outcome(False, detail, change.before, change.after, self.driver.read(self.params))


def _answer(site: str, address: Mapping[str, Any], client: SipClient) -> str:
    outcome = client.request(options_to(address))
    if grade(outcome)[0] != "up":
        raise GatewayError(
            f"{site} is preferred, but OPTIONS to {address['address']} from here fails: {detail(outcome)}"
        )
    return f"OPTIONS answered {outcome.status} in {(outcome.rtt or 0) * 1000:.0f} ms"


def _kept_alive(site: str, targets: Mapping[str, Mapping[str, Any]]) -> str:
    target = targets.get(site) or {"oper": "unknown", "state": "no target"}
    if target["oper"] != "up":
        raise GatewayError(
            f"{site} is preferred, but the gateway's keep-alive finds it {target['oper']}: {target['state']}"
        )
    return f"its keep-alive finds it up: {target['state']}"


def other_site(site: str, sites: List[str]) -> str:
    """Return the peer of `site`. Raises GatewayError unless `sites` are exactly two and `site` is one of them."""
    others = [name for name in sites if name != site]
    if len(sites) != 2 or len(others) != 1:
        raise GatewayError(f"{site} and its peer are expected as the two sites, {', '.join(sites) or 'none'} given")
    return others[0]


def gateway_of(
    driver: str,
    params: Mapping[str, Any],
    record: Record,
    check_mode: bool,
    socket_path: Optional[str] = None,
) -> Gateway:
    """Return the gateway behind the driver of that name. Raises GatewayError for an unknown driver or option.

    `socket_path` is that of Ansible's persistent connection, for drivers that have an option of this name.
    """
    known = registry.driver(driver)
    unknown = sorted(set(params) - set(known.DEFAULTS))
    if unknown:
        it_has = ", ".join(sorted(known.DEFAULTS))
        raise GatewayError(f"gateway driver {driver} has no option {', '.join(unknown)}; it has {it_has}")
    return Gateway(known, registry.connected(known, params, socket_path), record, check_mode)
