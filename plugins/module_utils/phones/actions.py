# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of all phones together: provision, move to a site, put back, who is registered where.

Phones of dual registration are never touched by a move: they are with the other site already, and are only counted.
Phones of single registration get their provisioning file rewritten and are asked to read it again. A phone counts when
the site's registrar lists a binding for it (RFC 3261 10.2.3); its 200 to the NOTIFY proves nothing.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone, PhoneError, Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.notify import NotifyRound
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import (
    DayOne,
    Problems,
    Provisioning,
    Rewrite,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.readiness import (
    NOT_SEEN,
    Readiness,
    items,
    not_seen,
    of_files,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.report import (
    SHOWN,
    NotAllProvisionedError,
    Report,
    TooFewPhonesError,
    keys_of,
    named,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Credentials, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import (
    Request,
    bindings,
    fetch_bindings,
    grade,
    options,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

RECORD = "sip_phone"
"""Name of the record in the state directory: each moved phone's keys as they stood before the first change."""

AT_ONCE = 2000  # phones of which the registrar's answers are held in memory at once


@dataclass(frozen=True)
class Timing:
    """deadline: seconds to wait for registrations after the last NOTIFY. interval: seconds between two looks.

    notify_rate, look_rate: NOTIFYs, and questions to a registrar, a second.
    """

    deadline: float = 30.0
    interval: float = 1.0
    notify_rate: int = 50
    look_rate: int = 1000


@dataclass(frozen=True)
class Fleet:
    """All phones of the inventory, the two sites' servers, and how to reach them from the provisioning host.

    sites: the order in which phones have them that do not say; without it, that of `servers`. max_expires: seconds that
    a registration may last, by policy. credentials: for phones that answer a NOTIFY with 401; nobody else is told them.
    """

    phones: List[Phone]
    servers: Mapping[str, Server]
    provisioning: Provisioning
    client: SipClient
    timing: Timing
    state_dir: str
    min_registered: float = 1.0
    check_mode: bool = False
    max_expires: int = 300
    sites: Sequence[str] = ()
    credentials: Optional[Credentials] = None

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

    def readiness(self) -> Readiness:
        """Return what moving the phones will need, and the lists of phones that a disaster would hit."""
        with_file = [phone for phone in self.phones if phone.has_file]
        lists = of_files(with_file, self.provisioning, self.max_expires)
        lists[NOT_SEEN] = not_seen(self.phones, self.observe())
        needed = [*self.provisioning.readiness(self._single()), *map(self._reachable, self.servers)]
        return Readiness([*needed, *items(lists, len(with_file), self.max_expires)], lists)

    def target(self, site: str, door: str) -> str:
        """Return the site that phones go to: `site` takes over, or its peer does when `site` is released."""
        self._server(site)
        others = [name for name in self.servers if name != site]
        if door != "release":
            return site
        if len(others) != 1:
            raise PhoneError(f"servers: {site} and its one peer expected, {', '.join(self.servers)} given")
        return others[0]

    def servers_of(self, phone: Phone) -> List[Server]:
        """Return all sites' servers in the phone's own order, then in that of the sites. Raises PhoneError."""
        return [self._server(site) for site in dict.fromkeys([*phone.sites, *self.sites, *self.servers])]

    def provision(self, plan: DayOne, step: Step) -> Report:
        """Give each phone with a driver its file with both sites. Raises RefusedError while phones are moved.

        Raises NotAllProvisionedError when some phones' files were left as they are; the others are provisioned.
        """
        self._assert_not_moved()
        with_file = [phone for phone in self.phones if phone.has_file]
        for phone in with_file:
            self.provisioning.path_of(phone)
        shown: List[Rewrite] = []
        problems: Problems = {}
        changed, right = 0, 0
        before_each = None if self.check_mode else step.assert_newest
        for rewrites, wrong, unchanged in self.provisioning.provision(with_file, plan, before_each):
            shown += rewrites[: max(0, SHOWN - len(shown))]
            problems.update(wrong)
            changed, right = changed + len(rewrites), right + unchanged
        done = "to change" if self.check_mode else "changed"
        detail = (
            f"{changed} files {done}, {right} stand right, {len(self.phones) - len(with_file)} phones without driver"
        )
        before, after = keys_of(shown, self.provisioning.drivers)
        report = Report(bool(changed), detail, problems=problems, before=before, after=after)
        if problems:
            raise NotAllProvisionedError(report)
        return report

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
        drivers = self.provisioning.drivers
        targets = {phone.name: drivers.of(phone).registers_with(kept[phone.name]) for phone in moved}
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
        done = "to change" if self.check_mode else "changed"
        before, after = named(rewrites)
        report = Report(bool(rewrites), f"{len(rewrites)} files {done}, {what}", before=before, after=after)
        if self.check_mode:
            return report
        if keep:
            Recorded(self.state_dir, RECORD).keep({one.phone.name: one.before for one in rewrites})
        step.assert_newest()
        self.provisioning.write(rewrites, step.assert_newest)
        return self._bring_home({one.phone.name for one in rewrites}, targets, report)

    def _bring_home(self, rewritten: set[str], targets: Mapping[str, Server], report: Report) -> Report:
        """Ask phones to read their file again, and wait for the registrations meanwhile."""
        there = set(self._registered(targets))
        asked = [phone for phone in self._single() if phone.name in targets]
        asked = [phone for phone in asked if phone.name in rewritten or phone.name not in there]
        client = replace(self.client, credentials=self.credentials)
        notify = NotifyRound(asked, self.provisioning.drivers, client, self.timing.notify_rate)
        with ThreadPoolExecutor(max_workers=1) as pool:
            answered = pool.submit(notify.run)
            missing, progress = self._await(targets, there, notify)
            answered.result()
        return replace(
            report,
            registered=sorted(set(targets) - set(missing)),
            missing=missing,
            notified=notify.notified,
            answers=notify.answers,
            not_asked=notify.not_asked,
            progress=progress,
        )

    def _await(
        self, targets: Mapping[str, Server], there: set[str], notify: NotifyRound
    ) -> Tuple[List[str], List[Dict[str, Any]]]:
        """Look until all are registered, or the deadline after the last NOTIFY; return the missing, and each look."""
        missing = {name: server for name, server in targets.items() if name not in there}
        progress: List[Dict[str, Any]] = []
        began = time.monotonic()

        def all_there() -> bool:
            elapsed = time.monotonic() - began
            # A phone that was not asked yet is not looked for: a registrar in distress has better things to do.
            is_early = notify.is_open if elapsed < notify.seconds else _never
            for name in self._registered({name: missing[name] for name in missing if not is_early(name)}):
                del missing[name]
            counts = {"notified": notify.done, "of": notify.of, "registered": len(targets) - len(missing)}
            progress.append({"seconds": round(time.monotonic() - began, 1), **counts, "expected": len(targets)})
            return not missing

        wait_for(all_there, notify.seconds + self.timing.deadline, self.timing.interval)
        return sorted(missing), progress

    def _registered(self, targets: Mapping[str, Server]) -> List[str]:
        """Return the phones that their target's registrar lists, sorted by name."""
        asked = [phone for phone in self.phones if phone.name in targets]
        client = replace(self.client, rate=self.timing.look_rate)
        found: List[str] = []
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            outcomes = client.request_many([_fetch(phone, targets[phone.name]) for phone in some])
            found += [phone.name for phone, outcome in zip(some, outcomes) if bindings(outcome)]
        return sorted(found)

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

    def _assert_not_moved(self) -> None:
        kept = Recorded(self.state_dir, RECORD).read()
        if kept:
            raise RefusedError(
                guard="phones that were moved are not provisioned over",
                evidence=f"{len(kept)} phones were moved from here and are not put back yet",
                way="put them back first (door restore), then provision",
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


def _never(_name: str) -> bool:
    return False


def _fetch(phone: Phone, server: Server) -> Request:
    return fetch_bindings(server.address, phone.dn, server.port, server.transport)
