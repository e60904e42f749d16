# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ticket: which site may write the configuration (decision.md, *The ticket and the dead-man*).

Pure: each function takes the ticket that lies in the store and returns the one to write in its place, or raises
RefusedError. A ticket is JSON data:

`holder` (site or None) · `n` (counts every change, so that a renewal is one) · `for` (who may take it while nobody
holds it) · `revoked_from` (from whom it was taken last, None once somebody holds it) · `hosts` (the holder's guarded
hosts) · `armed` (those whose dead-man is armed) · `sync` (commits wait for the standby) · `by` (the host that wrote it,
or a run's id) · `disarmed_until` (RFC 3339, or None) · `run` (`{id, token}` of the run that moves it, or None)
· `kills_within` (for each host of the holder, in how many seconds after its last renewal its dead-man has killed).
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

Ticket = Dict[str, Any]

NEEDED = frozenset({"holder", "n", "for", "revoked_from", "armed", "hosts", "sync"})
"""Without these nothing can be concluded."""


_BLANK: Ticket = {
    "holder": None,
    "n": 0,
    "for": None,
    "revoked_from": None,
    "hosts": [],
    "armed": [],
    "sync": False,
    "took_armed": False,
    "took_sync": False,
    "by": None,
    "disarmed_until": None,
    "run": None,
    "kills_within": {},
}


def first(site: str, hosts: Iterable[str]) -> Ticket:
    """Return the seed: nobody holds it, and `site` may take it."""
    return {**_BLANK, "for": site, "hosts": sorted(hosts)}


def acquired(ticket: Mapping[str, Any], site: str, host: str, hosts: Iterable[str], armed: bool) -> Ticket:
    """Return the ticket as `host` takes it for its site, or joins the hosts of the site that hold it.

    Only the holder, or the site that it was granted to, may. What the holder before said of its hosts and of its
    standby ends here; a disarming too, for it was the other one's. `took_armed` and `took_sync` keep what its ticket
    said: a run that was killed before its promotion must still know what it may conclude of that side.
    """
    if not may_acquire(ticket, site):
        raise RefusedError(
            "ticket: only the site that holds it or that it was granted to may take it",
            f"{host} asks for {site}, but the ticket is {describe(ticket)}",
            "a run grants it, after it was revoked from the other site and that site is fenced",
        )
    stays = ticket["holder"] == site
    others = ticket["armed"] if stays else []
    from_other = ticket["revoked_from"] not in (None, site)
    took = (
        {}
        if stays
        else {"took_armed": from_other and observed(ticket)["armed"], "took_sync": from_other and ticket["sync"]}
    )
    return _changed(
        ticket,
        {"holder": site, "for": None, "revoked_from": None, "run": None, "by": host, **took},
        hosts=sorted(hosts),
        armed=_with(others, host, armed),
        sync=bool(ticket["sync"]) if stays else False,
        disarmed_until=ticket["disarmed_until"] if stays else None,
        kills_within=ticket["kills_within"] if stays else {},
    )


def may_acquire(ticket: Mapping[str, Any], site: str) -> bool:
    """Whether a guard of this site may take the ticket as it lies."""
    return ticket["holder"] == site or (ticket["holder"] is None and ticket["for"] == site)


def renewed(ticket: Mapping[str, Any], host: str, armed: bool, sync: bool) -> Ticket:
    """Return the ticket as a host of the holder renews it; a disarming stays until `disarmed` ends it."""
    if ticket["holder"] is None or host not in ticket["hosts"]:
        raise RefusedError(
            "ticket: only a host of its holder may renew it",
            f"{host} is none of {', '.join(ticket['hosts']) or 'no hosts'}, and the ticket is {describe(ticket)}",
            "the host's guard takes it first",
        )
    return _changed(ticket, {"by": host}, armed=_with(ticket["armed"], host, armed), sync=bool(sync))


def promised(ticket: Mapping[str, Any], host: str, kills_within: float) -> Ticket:
    """Return a ticket that its holder is about to write, with the time in which the dead-man of `host` kills."""
    return {**ticket, "kills_within": {**ticket["kills_within"], host: kills_within}}


def revoked(ticket: Mapping[str, Any], site: str, run: Optional[Mapping[str, Any]]) -> Ticket:
    """Return the ticket taken from a site: nobody holds it, and nobody may take it before it is granted.

    `hosts`, `armed` and `sync` stay: they tell what may be concluded of the site. A ticket that was revoked from the
    site before, by whichever run, stays so, under the new run; a grant to the other site stands. Where the site was
    only granted it and never took it, what those fields say is of the other site, so nothing may be concluded.
    """
    again = ticket["holder"] is None and ticket["revoked_from"] == site
    if again:
        onwards = None if ticket["for"] == site else ticket["for"]
        return _changed(ticket, {"for": onwards, "run": _run(run), "by": _by(run)})
    if not may_acquire(ticket, site):
        raise RefusedError(
            "ticket: it can be revoked only from the site that has it",
            f"to be revoked from {site}, but it is {describe(ticket)}",
            "look again: the plan is made for another holder",
        )
    known = {} if ticket["holder"] == site else {"armed": [], "hosts": [], "sync": False}
    taken = {
        "holder": None,
        "for": None,
        "revoked_from": site,
        "took_armed": False,
        "took_sync": False,
        "run": _run(run),
        "by": _by(run),
    }
    return _changed(ticket, {**taken, **known})


def granted(ticket: Mapping[str, Any], site: str, run: Optional[Mapping[str, Any]]) -> Ticket:
    """Return the ticket given to a site, which may take it from now on; `revoked_from` stays until it does.

    Only while nobody holds it. What was granted to one site is granted to the other only on the way back, to the site
    that it was revoked from: for any other move it is revoked first.
    """
    back = ticket["revoked_from"] == site
    if ticket["holder"] is not None or (ticket["for"] not in (None, site) and not back):
        raise RefusedError(
            "ticket: it can be granted only while nobody may write",
            f"to be granted to {site}, but it is {describe(ticket)}",
            "revoke it first, and fence the site that has it",
        )
    return _changed(ticket, {"for": site, "run": _run(run), "by": _by(run)})


def disarmed(ticket: Mapping[str, Any], until: Optional[str]) -> Ticket:
    """Return the ticket with its holder's dead-man off until then (RFC 3339), or on again with None.

    As long as a time stands there, even one that is over, nothing is concluded from a ticket that ran out: only a
    committed write ends a disarming.
    """
    return _changed(ticket, {"disarmed_until": until})


def observed(ticket: Mapping[str, Any]) -> Dict[str, Any]:
    """Return `{holder, revoked_from, armed, sync}` for the observation; armed means all hosts, and not disarmed."""
    hosts = set(ticket["hosts"])
    armed = bool(hosts) and hosts <= set(ticket["armed"]) and ticket["disarmed_until"] is None
    return {
        "holder": ticket["holder"],
        "revoked_from": ticket["revoked_from"],
        "armed": armed,
        "sync": bool(ticket["sync"]),
    }


def read_ticket(value: object) -> Optional[Ticket]:
    """Return what was read as a ticket, None when it is none.

    Guards are brought up to date one after the other: a field that an older one did not know has its first value, one
    that a newer one added is kept.
    """
    if not isinstance(value, Mapping) or not set(value) >= NEEDED:
        return None
    return {**_BLANK, **value}


def describe(ticket: Mapping[str, Any]) -> str:
    """Say in words who has the ticket."""
    if ticket["holder"] is not None:
        return f"held by {ticket['holder']} (change {ticket['n']}, by {ticket['by']})"
    taken = f"revoked from {ticket['revoked_from']}" if ticket["revoked_from"] else "held by nobody yet"
    given = f" and granted to {ticket['for']}" if ticket["for"] else ""
    run = f", by run {ticket['run']['id']} with token {ticket['run']['token']}" if ticket["run"] else ""
    return taken + given + run


def _changed(ticket: Mapping[str, Any], change: Mapping[str, Any], **more: object) -> Ticket:
    return {**ticket, **change, **more, "n": int(ticket["n"]) + 1}


def _with(hosts: Iterable[str], host: str, member: bool) -> List[str]:
    return sorted({*hosts, host} if member else set(hosts) - {host})


def _run(run: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    return None if run is None else {"id": run["id"], "token": int(run["token"])}


def _by(run: Optional[Mapping[str, Any]]) -> Optional[str]:
    return None if run is None else str(run["id"])
