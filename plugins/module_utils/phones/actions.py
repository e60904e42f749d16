# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of all phones together: move to a site, put back, who is registered where.

Phones of dual registration are never touched: they are with the other site already, and are only counted. Phones of
single registration get their provisioning file rewritten and are asked to read it again. A phone counts when the site's
registrar lists a binding for it (RFC 3261 10.2.3); its 200 to the NOTIFY proves nothing.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone, PhoneError, Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import Provisioning, Rewrite
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import driver_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import (
    Request,
    bindings,
    check_sync,
    fetch_bindings,
    grade,
    options,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

RECORD = "sip_phone"
"""Name of the record in the state directory: each moved phone's keys as they stood before the first change."""

NOTIFY_WAVE = 1.0  # seconds between two waves of NOTIFYs
WAVES_AT_ONCE = 8  # a wave that waits for silent phones must not hold up the next one


@dataclass(frozen=True)
class Timing:
    """deadline, interval: seconds to wait for registrations, and between two looks. notify_rate: NOTIFYs a second."""

    deadline: float = 30.0
    interval: float = 1.0
    notify_rate: int = 50


@dataclass(frozen=True)
class Report:
    """How it ended: phones by name, registered or missing where they should be; what was done; texts for the diff."""

    changed: bool
    detail: str
    registered: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)
    notified: Dict[str, Optional[int]] = field(default_factory=dict)
    problems: Dict[str, str] = field(default_factory=dict)
    before: str = ""
    after: str = ""

    @property
    def share(self) -> float:
        """Registered of all, 0 to 1; 1 when there is no phone to count."""
        everyone = len(self.registered) + len(self.missing)
        return len(self.registered) / everyone if everyone else 1.0


class TooFewPhonesError(PhoneError):
    """Fewer phones are registered than asked for; `report` names them."""

    def __init__(self, report: Report, wanted: float) -> None:
        """Name the first of the missing."""
        self.report = report
        named = ", ".join(report.missing[:10]) + (", …" if len(report.missing) > 10 else "")
        super().__init__(
            f"{report.detail}: {report.share:.1%} of the phones registered, {wanted:.1%} asked for; missing: {named}"
        )


@dataclass(frozen=True)
class Fleet:
    """All phones of the inventory, the two sites' servers, and how to reach them from the provisioning host."""

    phones: List[Phone]
    servers: Mapping[str, Server]
    provisioning: Provisioning
    client: SipClient
    timing: Timing
    state_dir: str
    min_registered: float = 1.0
    check_mode: bool = False

    def observe(self) -> Dict[str, Any]:
        """Return, for each site, which phones its registrar lists; none, and `answers: false`, when it is silent."""
        found: Dict[str, Any] = {}
        for site, server in self.servers.items():
            answers = self._trouble(server) == ""
            registered = self._registered({phone.name: server for phone in self.phones}) if answers else []
            found[site] = {"answers": answers, "registered": registered}
        return found

    def verify(self, site: str) -> Report:
        """Look once. Raises PhoneError when the registrar is silent, TooFewPhonesError when phones are missing."""
        server = self._server(site)
        trouble = self._trouble(server)
        if trouble:
            raise PhoneError(f"{site} at {server.address} cannot be asked for its phones: {trouble}")
        registered = self._registered({phone.name: server for phone in self.phones})
        missing = sorted({phone.name for phone in self.phones} - set(registered))
        return self._enough(Report(False, f"{len(registered)} phones at {site}", registered, missing))

    def readiness(self) -> List[Dict[str, Any]]:
        """Return what moving the phones will need, each `{item, met, evidence, way}`."""
        return [*self.provisioning.readiness(self._single()), *map(self._reachable, self.servers)]

    def target(self, site: str, door: str) -> str:
        """Return the site that phones go to: `site` takes over, or its peer does when `site` is released."""
        self._server(site)
        others = [name for name in self.servers if name != site]
        if door != "release":
            return site
        if len(others) != 1:
            raise PhoneError(f"servers: {site} and its one peer expected, {', '.join(self.servers)} given")
        return others[0]

    def move(self, site: str, step: Step) -> Report:
        """Provision the phones of single registration to `site`, and wait until all phones are registered there."""
        server = self._server(site)
        self._assert_answers(site, server)
        rewrites, problems = self.provisioning.toward(self._single(), server)
        targets = {phone.name: server for phone in self.phones}
        report = self._carry_out(rewrites, targets, step, f"phones at {site}", keep=True)
        return self._enough(replace(report, problems=problems))

    def restore(self, step: Step) -> Report:
        """Put back the moved phones' files as they were, and wait until they are registered where those say."""
        record = Recorded(self.state_dir, RECORD)
        kept = record.read()
        if kept is None:
            return Report(False, "nothing to restore: no phone was moved from here")
        moved = [phone for phone in self._single() if phone.name in kept]
        targets = {phone.name: driver_of(phone).registers_with(kept[phone.name]) for phone in moved}
        for server in sorted(set(targets.values()), key=str):
            self._assert_answers(server.address, server)
        rewrites, problems = self.provisioning.back(moved, kept)
        report = self._carry_out(rewrites, targets, step, "phones back where they were", keep=False)
        self._enough(replace(report, problems=problems))
        if not self.check_mode:
            record.forget()
        return report

    def _carry_out(
        self, rewrites: List[Rewrite], targets: Mapping[str, Server], step: Step, what: str, keep: bool
    ) -> Report:
        before = "".join(f"{one.path.name}: {one.named_before}\n" for one in rewrites)
        after = "".join(f"{one.path.name}: {one.named_after}\n" for one in rewrites)
        done = "to change" if self.check_mode else "changed"
        report = Report(bool(rewrites), f"{len(rewrites)} files {done}, {what}", before=before, after=after)
        if self.check_mode:
            return report
        if keep:
            Recorded(self.state_dir, RECORD).keep({one.phone.name: one.values_before for one in rewrites})
        step.assert_newest()
        for one in rewrites:
            one.write()
        return self._bring_home({one.phone.name for one in rewrites}, targets, report)

    def _bring_home(self, rewritten: set[str], targets: Mapping[str, Server], report: Report) -> Report:
        """Ask phones to read their file again, and wait for the registrations meanwhile."""
        there = set(self._registered(targets))
        asked = [phone for phone in self._single() if phone.name in targets]
        asked = [phone for phone in asked if phone.name in rewritten or phone.name not in there]
        with ThreadPoolExecutor(max_workers=WAVES_AT_ONCE + 1) as pool:
            answers = pool.submit(self._notify, asked, pool)
            missing = self._await(targets)
            notified = answers.result()
        registered = sorted(set(targets) - set(missing))
        return replace(report, registered=registered, missing=missing, notified=notified)

    def _notify(self, phones: List[Phone], pool: ThreadPoolExecutor) -> Dict[str, Optional[int]]:
        """NOTIFY in waves, so that the registrars are not hit by all phones in one instant."""
        waves: List[Future[List[Outcome]]] = []
        for start in range(0, len(phones), self.timing.notify_rate):
            if start:
                Event().wait(NOTIFY_WAVE)
            wave = phones[start : start + self.timing.notify_rate]
            waves.append(pool.submit(self.client.request_many, [_check_sync(phone) for phone in wave]))
        outcomes = [outcome for wave in waves for outcome in wave.result()]
        return {phone.name: outcome.status for phone, outcome in zip(phones, outcomes)}

    def _await(self, targets: Mapping[str, Server]) -> List[str]:
        missing = dict(targets)

        def all_there() -> bool:
            for name in self._registered(missing):
                del missing[name]
            return not missing

        wait_for(all_there, self.timing.deadline, self.timing.interval)
        return sorted(missing)

    def _registered(self, targets: Mapping[str, Server]) -> List[str]:
        """Return the phones that their target's registrar lists, sorted by name."""
        asked = [phone for phone in self.phones if phone.name in targets]
        outcomes = self.client.request_many([_fetch(phone, targets[phone.name]) for phone in asked])
        return sorted(phone.name for phone, outcome in zip(asked, outcomes) if bindings(outcome))

    def _single(self) -> List[Phone]:
        return [phone for phone in self.phones if phone.is_single]

    def _server(self, site: str) -> Server:
        if site not in self.servers:
            raise PhoneError(f"servers has no {site}, it has {', '.join(self.servers) or 'none'}")
        return self.servers[site]

    def _trouble(self, server: Server) -> str:
        """Return why the server cannot be asked, or nothing: one OPTIONS spares a look at every phone."""
        outcome = self.client.request(options(server.address, server.port, server.transport))
        value, answered = grade(outcome)
        if value == "up":
            return ""
        return f"it answers {outcome.status} {outcome.reason}" if answered else "no answer to OPTIONS"

    def _assert_answers(self, site: str, server: Server) -> None:
        trouble = self._trouble(server)
        if trouble:
            raise RefusedError(
                guard="phones are only sent to a server that answers",
                evidence=f"{site}, {server.address}:{server.port}: {trouble}",
                way="bring that SIP Server into service first, or move the phones to the other site",
            )

    def _reachable(self, site: str) -> Dict[str, Any]:
        server = self.servers[site]
        trouble = self._trouble(server)
        return {
            "item": f"{site}'s registrar can be asked from the provisioning host",
            "met": not trouble,
            "evidence": f"{server.address}:{server.port}: {trouble or 'answers OPTIONS'}",
            "way": f"open SIP from this host to {server.address}:{server.port}",
        }

    def _enough(self, report: Report) -> Report:
        if not self.check_mode and report.share < self.min_registered:
            raise TooFewPhonesError(report, self.min_registered)
        return report


def _fetch(phone: Phone, server: Server) -> Request:
    return fetch_bindings(server.address, phone.dn, server.port, server.transport)


def _check_sync(phone: Phone) -> Request:
    return check_sync(phone.address, phone.dn, phone.port, phone.transport, event=driver_of(phone).CHECK_SYNC)
