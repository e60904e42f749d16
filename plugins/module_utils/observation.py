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
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, signals
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports

SSH_PORT = 22
SERVER_PAGE = "/server?sipServer"
TRUNK_PAGE = "/server?sipTrunkStatistics"

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
    if host in deployment.coordination_hosts(continuity):
        found.append(_from_the_store(continuity))
    return found


def to_observation(
    continuity: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]], meta: Mapping[str, Any]
) -> dict[str, Any]:
    """The observation that verdict.decide takes.

    probes: {host: {reached: bool, answers: [...]}}, as site_probe returns it; a host that is left out, or whose
    result has no `reached`, was not reached.
    meta: taken_at and started_at (RFC 3339 texts: end and begin of the looking; every signal is as old as its begin),
    and, all of them optional, from the store: events, overrides, attestations ({site: {by, until}}), fences
    ({site: …}), not_before (the last observation's taken_at: a controller whose clock is behind it goes on from there,
    or else its clock would stand between the calls and their rescue), isolated ({site: drain or failover}), downtime
    (names of sites and gateways in a declared downtime now), ticket.
    """
    reports = reports_of(continuity, probes)
    names = deployment.site_names(continuity)
    meta = _not_before(meta)
    watching = {host for name in names for host in deployment.vantage_hosts(continuity, name)}
    watching.add(deployment.witness(continuity) or "")
    return {
        "taken_at": meta["taken_at"],
        "observer": {"healthy": bool(watching & reports.reached)},
        **_ticket(continuity, meta),
        "sites": {name: _site(continuity, reports, name, meta) for name in names},
        "events": list(meta.get("events") or []),
        "overrides": list(meta.get("overrides") or []),
    }


def _not_before(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Move taken_at and started_at forward together: time never runs backwards from one observation to the next."""
    behind = _time(meta.get("not_before") or meta["taken_at"]) - _time(meta["taken_at"])
    if behind <= timedelta(0):
        return meta
    moved = {key: (_time(meta[key]) + behind).isoformat().replace("+00:00", "Z") for key in ("taken_at", "started_at")}
    return {**meta, **moved}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def runs_of(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`{token, journal}`: the newest fencing token that any reached host has seen, and the records of its last run.

    Each record names its host as the inventory does.
    """
    runs = {host: probe["run"] for host, probe in probes.items() if probe.get("reached")}
    return {
        "token": max([int(run["token"]) for run in runs.values()] or [0]),
        "journal": [{**record, "host": host} for host, run in runs.items() for record in run["journal"]],
    }


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
    for leg, data in server["legs"].items():
        page = {"address": data["address"], "port": server["monitoring_port"]}
        yield _check("monitoring_page", "inside", name, f"page:{leg}", part=leg, path=SERVER_PAGE, **page)
        if server["trunk"]["oos_check"]:
            dn = server["trunk"]["dn"]
            yield _check("monitoring_page", "trunk", name, leg, part=leg, path=TRUNK_PAGE, dn=dn, **page)
        yield _tcp("redundancy", name, f"lca:{leg}", data["address"], server["lca_port"])
    address = configuration["address"]
    yield _tcp("redundancy", name, f"lca:{configuration['host']}", address, server["lca_port"])
    yield _tcp("redundancy", name, "proxy", address, configuration["proxy_port"])
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
    sites = {name: _target(deployment.site(continuity, name)) for name in deployment.site_names(continuity)}
    options = data.get("driver_options", {})
    return _check(
        "gateway", "gateways", data["site"], gateway, part=gateway, driver=data["driver"], options=options, sites=sites
    )


def _from_the_store(continuity: Mapping[str, Any]) -> Check:
    """No look at a site, but read in the same call: what the store knows belongs to the decision."""
    store = continuity["continuity_coordination"]
    return {
        "id": "coordination",
        "kind": "coordination",
        "about": None,
        "signal": "coordination",
        "driver": store["driver"],
        "directory": store["directory"],
    }


def _check(kind: str, signal: str, about: str, what: str, **parameters: object) -> Check:
    return {"id": f"{signal}:{about}:{what}", "kind": kind, "about": about, "signal": signal, **parameters}


def _options(signal: str, about: str, server: Mapping[str, Any], what: str) -> Check:
    return _check("sip_options", signal, about, what, **_target({"sip_server": server}))


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


def _target(site: Mapping[str, Any]) -> dict[str, Any]:
    server = site["sip_server"]
    return {"address": server["address"], "port": server["port"], "transport": server["transport"]}


def _ticket(continuity: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    """`none` without a ticket system; else as the store says, and left out (holder unknown) when it says nothing."""
    if continuity["continuity_coordination"]["driver"] == "files":
        return {"ticket": "none"}
    return {"ticket": meta["ticket"]} if meta.get("ticket") else {}


def _site(continuity: Mapping[str, Any], reports: Reports, name: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    downtime = frozenset(meta.get("downtime") or [])
    seen = signals.Site(
        name=name,
        peer=deployment.peer(continuity, name),
        inside={one: _hosts_inside(continuity, one) for one in deployment.site_names(continuity)},
        gateways={one: data["site"] for one, data in continuity["continuity_gateways"].items()},
        downtime=downtime,
        reports=reports,
    )
    return {
        **{signal: {**rule(seen), "at": meta["started_at"]} for signal, rule in signals.RULES.items()},
        "downtime": name in downtime,
        "isolated": _of_site(meta, "isolated", name),
        "database": signals.database(seen),
        "fence": _of_site(meta, "fences", name),
        "attested_down": _of_site(meta, "attestations", name),
    }


def _hosts_inside(continuity: Mapping[str, Any], name: str) -> frozenset[str]:
    """The hosts inside a site that look: its vantage hosts and its gateways."""
    return frozenset([*deployment.vantage_hosts(continuity, name), *deployment.gateways(continuity, name)])


def _of_site(meta: Mapping[str, Any], key: str, name: str) -> object:
    return (meta.get(key) or {}).get(name)
