# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each vantage host looks at, and the observation made of the answers (decision.md, "What is observed").

Pure: no clock, no network. `continuity` is the checked deployment data (deployment.py). A check is a dict
`{id, kind, about: site or None, signal, …parameters}`; its answer (probes/runner.py) is
`{id, value, answered, detail, …}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, signals, statements, trunks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_base import Site
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_redundancy import SOLUTION_CONTROL
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import CLOCK_SKEW
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import observed
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observer import observer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.statements import moment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.vantage_paths import paths_of

SSH_PORT = 22
CALLS_PAGE = "/server?sipCallManager"

Check = dict[str, Any]


def probe_checks(continuity: Mapping[str, Any], host: str) -> list[Check]:
    """What `host` has to look at; empty for a host that is no vantage point."""
    found: list[Check] = []
    for name in deployment.site_names(continuity):
        if host in deployment.vantage_hosts(continuity, name):
            found += _from_inside(continuity, name)
            found += _from_the_peer(continuity, deployment.peer(continuity, name))
    if host == deployment.witness(continuity):
        found += _from_the_witness(continuity)
    if host in deployment.gateways(continuity):
        found.append(_from_the_gateway(continuity, host))
        found += _test_calls(continuity, host)
    if host in deployment.coordination_hosts(continuity):
        found.append(_from_the_store(continuity))
    return found


def to_observation(
    continuity: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]], meta: Mapping[str, Any]
) -> dict[str, Any]:
    """The observation that verdict.decide takes.

    probes: {host: {reached: bool, answers: [...], clock, elapsed}}, as site_probe returns it; a host that is left out,
    or whose result has no `reached`, was not reached.
    meta: taken_at and started_at (RFC 3339 texts: end and begin of the looking; every signal is as old as its begin),
    and, all of them optional: attestations ({site: {by, until}}, said in this very run; they outweigh the store's), and
    from the store: events, overrides, attested and downtime (its records of the same names, `attestations` for
    attested, see statements.py), store_read (whether any host's store could be read; left out: yes), fences
    ({site: …}), not_before (the last observation's taken_at; see `_on_time`), isolated ({site: drain or failover}),
    ticket (as it lies in the store and was read in this round; coordination/ticket.py).
    """
    reports = reports_of(continuity, probes)
    names = deployment.site_names(continuity)
    seen = _noted(observer(continuity, probes, meta), [*_unreadable(meta), *_strangers(continuity, meta)])
    seen, meta = _on_time(seen, meta)
    ticket = _ticket(continuity, meta)
    sites = {name: _site(continuity, reports, name, meta, ticket) for name in names}
    return {
        "taken_at": meta["taken_at"],
        "observer": trunks.with_differences(seen, sites),
        **({"ticket": ticket} if ticket else {}),
        "sites": sites,
        "events": list(meta.get("events") or []),
        "overrides": statements.overrides(meta.get("overrides") or [], meta["taken_at"]),
    }


def _on_time(seen: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The observer and meta of an observation that time does not run backwards to.

    A clock a little behind the last observation goes on from there: taken_at and started_at move forward together.
    Farther behind, and with the hosts on its side, it is right and the last one was wrong: nothing is moved, or the
    decision's clock would stand still until true time has caught up. The state is then to be taken over by
    `state_clock.pulled`.
    """
    behind = moment(meta.get("not_before") or meta["taken_at"]) - moment(meta["taken_at"])
    if behind <= timedelta(0):
        return seen, meta
    if seen["healthy"] and behind > timedelta(seconds=CLOCK_SKEW):
        note = f"The last observation was dated {behind.total_seconds():.0f} s ahead of now: its clock was wrong."
        return _noted(seen, [note]), meta
    moved = {key: (moment(meta[key]) + behind).isoformat().replace("+00:00", "Z") for key in ("taken_at", "started_at")}
    return seen, {**meta, **moved}


def _unreadable(meta: Mapping[str, Any]) -> list[str]:
    attested, downtime = meta.get("attested") or [], meta.get("downtime") or []
    return [
        *statements.unreadable(attested, "site"),
        *statements.unreadable(downtime, "name"),
        *statements.unreadable_overrides(meta.get("overrides") or []),
    ]


def _strangers(continuity: Mapping[str, Any], meta: Mapping[str, Any]) -> list[str]:
    """Sites that only the ticket knows: the inventory was changed, or another deployment's store is read."""
    ticket = meta.get("ticket") or {}
    named = {str(ticket[key]) for key in ("holder", "revoked_from") if ticket.get(key)}
    strange = sorted(named - set(deployment.site_names(continuity)))
    return [f"The ticket names {one}, which is no site here: nothing is concluded from it." for one in strange]


def _noted(seen: Mapping[str, Any], notes: list[str]) -> Mapping[str, Any]:
    return {**seen, "notes": [*seen.get("notes", []), *notes]} if notes else seen


def runs_of(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`{token, journal}`: the newest fencing token that any reached host has seen, and the records of its last run.

    Each record names its host as the inventory does.
    """
    runs = {host: probe["run"] for host, probe in probes.items() if probe.get("reached")}
    return {
        "token": max([int(run["token"]) for run in runs.values()] or [0]),
        "journal": [{**record, "host": host} for host, run in runs.items() for record in run["journal"]],
    }


def prefers_of(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The site that each reached gateway sends new calls to first; one that tells none is left out."""
    answers = ((host, one) for host, probe in probes.items() if probe.get("reached") for one in probe["answers"])
    return {host: str(one["prefers"]) for host, one in answers if one["kind"] == "gateway" and one.get("prefers")}


def stores_of(probes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The hosts, named as the inventory does, that could read the coordination store."""
    answers = {host: probe.get("answers") or [] for host, probe in probes.items() if probe.get("reached")}
    return [host for host, given in answers.items() if any(map(_read_the_store, given))]


def _read_the_store(answer: Mapping[str, Any]) -> bool:
    return bool(answer["kind"] == "coordination" and answer.get("store"))


def reports_of(continuity: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]]) -> Reports:
    """Each check that was to be made, with its answer, or without one when its host was silent."""
    reached = frozenset(host for host, probe in probes.items() if probe.get("reached"))
    found = []
    for host in deployment.observers(continuity):
        answers = {one["id"]: one for one in probes[host].get("answers") or []} if host in reached else {}
        found += [Report(host, check, answers.get(check["id"])) for check in probe_checks(continuity, host)]
    return Reports(tuple(found), reached)


def _from_inside(continuity: Mapping[str, Any], name: str) -> Iterator[Check]:
    site = deployment.site(continuity, name)
    server, configuration = site["sip_server"], site["configuration"]
    yield _options("inside", name, server, "sip")
    yield from trunks.page_checks(name, server)
    yield trunks.own_check(name, server, deployment.site(continuity, deployment.peer(continuity, name))["sip_server"])
    for leg, data in server["legs"].items():
        yield _tcp("redundancy", name, f"lca:{leg}", data["address"], server["lca_port"])
    address = configuration["address"]
    yield _tcp("redundancy", name, f"lca:{configuration['host']}", address, server["lca_port"])
    yield _tcp("redundancy", name, "proxy", address, configuration["proxy_port"])
    if "scs_port" in configuration:
        yield _tcp("redundancy", name, SOLUTION_CONTROL, address, configuration["scs_port"])
    if "stat_server" in site:
        yield _tcp("redundancy", name, "stat server", **site["stat_server"])
    yield from _running_calls(continuity, name)
    yield _master(continuity, name)
    yield _check("database", "database", name, "database", **_database(configuration))


def _from_the_peer(continuity: Mapping[str, Any], name: str) -> Iterator[Check]:
    """What a host in the other site looks at in site `name`."""
    site = deployment.site(continuity, name)
    server = site["sip_server"]
    yield _options("peer", name, server, "sip")
    yield _tcp("mgmt", name, "ssh", site["configuration"]["address"], SSH_PORT, banner="SSH-")
    for leg, data in server["legs"].items():
        yield _tcp("mgmt", name, f"lca:{leg}", data["address"], server["lca_port"])
    yield _master(continuity, name)


def _from_the_witness(continuity: Mapping[str, Any]) -> Iterator[Check]:
    """The witness has no log-in at any database: of a master it can tell silence and refusal."""
    for name in deployment.site_names(continuity):
        site = deployment.site(continuity, name)
        yield _options("witness", name, site["sip_server"], "sip")
        yield _check("master", "master", name, "master", **_server(site["configuration"]))


def _from_the_gateway(continuity: Mapping[str, Any], gateway: str) -> Check:
    data = continuity["continuity_gateways"][gateway]
    servers = {name: deployment.site(continuity, name)["sip_server"] for name in deployment.site_names(continuity)}
    sites = {name: deployment.sip_endpoint(server) for name, server in servers.items()}
    asked = {"driver": data["driver"], "options": data.get("driver_options", {}), "sites": sites}
    elsewhere = {"elsewhere": True} if deployment.is_managed_elsewhere(continuity, gateway) else {}
    return _check("gateway", "gateways", data["site"], gateway, part=gateway, **asked, **elsewhere)


def _test_calls(continuity: Mapping[str, Any], gateway: str) -> Iterator[Check]:
    """A test call through this gateway to each site that has a number for it, unless the policy asks for none."""
    if not continuity["continuity_policy"].get("synthetic_calls", Policy().synthetic_calls):
        return
    data = continuity["continuity_gateways"][gateway]
    where = {"address": data["address"], "port": data["port"], "transport": data["transport"]}
    for name in deployment.site_names(continuity):
        server = deployment.site(continuity, name)["sip_server"]
        if "test_dn" in server:
            yield _check("call", "calls", name, gateway, part=gateway, dn=server["test_dn"], **where)


def _running_calls(continuity: Mapping[str, Any], name: str) -> Iterator[Check]:
    """How many calls run at the site: asked at both sites as soon as either says how many it can carry."""
    if not any(_capacity(continuity).values()):
        return
    server = deployment.site(continuity, name)["sip_server"]
    for leg, data in server["legs"].items():
        page = {"address": data["address"], "port": server["monitoring_port"], "path": CALLS_PAGE}
        yield _check("running_calls", "capacity", name, leg, part=leg, **page)


def _capacity(continuity: Mapping[str, Any]) -> dict[str, int | None]:
    sites = deployment.site_names(continuity)
    return {name: deployment.site(continuity, name)["sip_server"].get("capacity") for name in sites}


def _from_the_store(continuity: Mapping[str, Any]) -> Check:
    """No look at a site, but read in the same call: what the store knows belongs to the decision."""
    store = continuity["continuity_coordination"]
    where = {key: store[key] for key in ("driver", "directory", "settings") if key in store}
    return {"id": "coordination", "kind": "coordination", "about": None, "signal": "coordination", **where}


def _check(kind: str, signal: str, about: str, what: str, **parameters: object) -> Check:
    return {"id": f"{signal}:{about}:{what}", "kind": kind, "about": about, "signal": signal, **parameters}


def _options(signal: str, about: str, server: Mapping[str, Any], what: str) -> Check:
    return _check("sip_options", signal, about, what, **deployment.sip_endpoint(server))


def _tcp(signal: str, about: str, what: str, address: str, port: int, **more: object) -> Check:
    return _check("tcp", signal, about, what, part=what, address=address, port=port, **more)


def _master(continuity: Mapping[str, Any], name: str) -> Check:
    configuration = deployment.site(continuity, name)["configuration"]
    return _check("master", "master", name, "master", **_server(configuration), **_database(configuration))


def _server(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {"address": configuration["address"], "port": configuration["port"]}


def _database(configuration: Mapping[str, Any]) -> dict[str, Any]:
    database = configuration["database"]
    return {"database_address": database["address"], "database_port": database["port"]}


def _ticket(continuity: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any] | str | None:
    """`none` without a ticket system; else as the store says, and None (holder unknown) when it says nothing."""
    if continuity["continuity_coordination"]["driver"] == "files":
        return "none"
    known = meta.get("ticket") and not _strangers(continuity, meta)
    return observed(meta["ticket"]) if known else None


def _is_synchronous(ticket: Mapping[str, Any] | str | None, writer: str) -> bool:
    """Whether this site's database confirms, or confirmed as long as it was the writer, nothing that is not applied."""
    if not isinstance(ticket, Mapping) or not ticket["sync"]:
        return False
    # Once another site holds it, `sync` speaks of that one.
    return bool((ticket["holder"] or ticket["revoked_from"]) == writer)


def _site(
    continuity: Mapping[str, Any],
    reports: Reports,
    name: str,
    meta: Mapping[str, Any],
    ticket: Mapping[str, Any] | str | None,
) -> dict[str, Any]:
    planned, said = continuity.get("continuity_downtimes") or [], meta.get("downtime") or []
    downtime = statements.downtimes(planned, said, meta["started_at"])
    seen = Site(
        name=name,
        peer=deployment.peer(continuity, name),
        inside={one: _hosts_inside(continuity, one) for one in deployment.site_names(continuity)},
        gateways={one: data["site"] for one, data in continuity["continuity_gateways"].items()},
        downtime=downtime,
        reports=reports,
        paths=paths_of(continuity),
        capacity=_capacity(continuity),
        synchronous=_is_synchronous(ticket, deployment.peer(continuity, name)),
    )
    attested = {**statements.attestations(meta.get("attested") or [], meta["taken_at"]), **_said_now(meta)}
    return {
        **{signal: {**rule(seen), "at": meta["started_at"]} for signal, rule in signals.RULES.items()},
        "downtime": name in downtime,
        "isolated": _of_site(meta, "isolated", name),
        "database": signals.database(seen),
        "fence": _of_site(meta, "fences", name),
        "attested_down": attested.get(name),
    }


def _hosts_inside(continuity: Mapping[str, Any], name: str) -> frozenset[str]:
    """The hosts inside a site that look: its vantage hosts and its gateways."""
    return frozenset([*deployment.vantage_hosts(continuity, name), *deployment.gateways(continuity, name)])


def _said_now(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    return meta.get("attestations") or {}


def _of_site(meta: Mapping[str, Any], key: str, name: str) -> object:
    return (meta.get(key) or {}).get(name)
