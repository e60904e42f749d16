# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's ground truth about calls, phones and agents.

Read inside the hosts, past their networks, and never by asking the code under test. Times are seconds of the epoch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from two_site_lab import truth_writers
from two_site_lab.calls import Call, between, figures, parse, per_second
from two_site_lab.errors import LabError
from two_site_lab.inventory import DUAL_LINES, SINGLE_LINES
from two_site_lab.setup import coordination

if TYPE_CHECKING:
    from two_site_lab.lab import Lab
    from two_site_lab.model import Topology

SCENARIO = "/usr/local/share/sip-dr-lab/caller.xml"
CALLS_DIRECTORY = "/var/lib/sip-dr-lab-calls"
CALLS_LOG = f"{CALLS_DIRECTORY}/calls.log"
CALLS_UNIT = "lab-calls"
CALLER_PORT = 5070
SIP_RPC_PORT = 8081
GATEWAY_RPC_PORT = 8080
PAGE_PORT = 8080


def start_calls(lab: Lab, rate: float = 5, hold: float = 3, *, routing_point: str = "8000") -> float:
    """Let the carrier offer ``rate`` calls a second that last ``hold`` seconds, until stop_calls; the start's time.

    Calls of an earlier start end, and their log is forgotten.
    """
    stop_calls(lab)
    carrier = lab.topology.of_kind("pstn")[0]
    lab.run(carrier.name, ["rm", "-f", CALLS_LOG])
    sipp = ["sipp", f"{carrier.address}:5060", "-sf", SCENARIO, "-s", routing_point, "-i", carrier.address]
    sipp += ["-p", str(CALLER_PORT), "-r", str(rate), "-d", str(int(hold * 1000)), "-l", "2000"]
    sipp += ["-nostdin", "-nd", "-trace_logs", "-log_file", CALLS_LOG]
    service = ["systemd-run", "--quiet", "--collect", f"--unit={CALLS_UNIT}", "--property=StandardOutput=null"]
    lab.run(carrier.name, [*service, f"--working-directory={CALLS_DIRECTORY}", *sipp])
    return time.time()


def stop_calls(lab: Lab) -> None:
    """Stop offering calls; the log stays. Nothing happens where none are offered."""
    lab.run(lab.topology.of_kind("pstn")[0].name, ["systemctl", "stop", CALLS_UNIT], check=False)


def read_calls(lab: Lab, since: float | None = None, until: float | None = None) -> list[Call]:
    """The calls of the last start, offered in a span of time."""
    log = lab.run(lab.topology.of_kind("pstn")[0].name, ["cat", CALLS_LOG], check=False).stdout
    return between(parse(log, {vip: site for site, vip in lab.topology.vips.items()}), since, until)


def rpc(lab: Lab, host: str, port: int, method: str, *params: object) -> Any:  # noqa: ANN401  (any JSON value)
    """The result of a JSON-RPC method of a host's Kamailio; None where it is off, dead or says no."""
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
    text = _curl(lab, host, "--data-binary", body, f"http://127.0.0.1:{port}/RPC")
    return json.loads(text).get("result") if text else None


def _curl(lab: Lab, host: str, *words: str) -> str:
    try:
        return lab.run(host, ["curl", "--silent", "--fail", "--max-time", "2", *words], check=False).stdout
    except LabError:
        return ""  # the host is off


def primary_leg(lab: Lab, site: str) -> str | None:
    """The host that has the site's virtual address, if any has."""
    for leg in lab.topology.of_kind("sip", site):
        try:
            addresses = lab.run(leg.name, ["ip", "-4", "-oneline", "address"], check=False).stdout
        except LabError:
            continue
        if f" {lab.topology.vip(site)}/" in addresses:
            return leg.name
    return None


def registrations(lab: Lab, leg: str) -> dict[str, list[str]]:
    """``{DN: contacts}`` as one leg's registrar has them."""
    dump = rpc(lab, leg, SIP_RPC_PORT, "ul.dump")
    domains = [each["Domain"] for each in (dump or {}).get("Domains", [])]
    records = [each["Info"] for domain in domains for each in domain["AoRs"]]
    return {info["AoR"]: [each["Contact"]["Address"] for each in info["Contacts"]] for info in records}


def agents(lab: Lab, leg: str) -> list[str]:
    """The DNs whose agents are logged in, as one leg knows them."""
    return sorted(dn for dn, logged_in in _numbers(lab, leg, "agents").items() if logged_in)


def trunk(lab: Lab, leg: str) -> dict[str, int]:
    """A leg's own view of its trunk to the other site: in_service, since, oos_count, forwarded."""
    return _numbers(lab, leg, "trunk")


def _numbers(lab: Lab, leg: str, table: str) -> dict[str, int]:
    slots = rpc(lab, leg, SIP_RPC_PORT, "htable.dump", table) or []
    return {item["name"]: int(item["value"]) for slot in slots for item in slot["slot"]}


def gateway_states(lab: Lab, gateway: str) -> dict[str, str]:
    """``{site: flags}`` of a gateway's dispatcher set 1: AP is in service (first letter A, I, T or D)."""
    records = (rpc(lab, gateway, GATEWAY_RPC_PORT, "dispatcher.list") or {}).get("RECORDS", [])
    sets = [each["SET"] for each in records if each["SET"]["ID"] == 1]
    targets = [each["DEST"] for one in sets for each in one["TARGETS"]]
    return {target["ATTRS"]["DUID"]: target["FLAGS"] for target in targets}


def snapshot(lab: Lab) -> dict[str, Any]:
    """Everything that is true now about registrations, agents, trunks, gateways and the calls of the last start."""
    sites = {site: _site(lab, site) for site in lab.topology.sites}
    gateways = {gateway.name: gateway_states(lab, gateway.name) for gateway in lab.topology.of_kind("gw")}
    try:
        offered = read_calls(lab)
    except LabError:
        offered = []
    return {
        "at": time.time(),
        "sites": sites,
        "gateways": gateways,
        "ticket": coordination.ticket(lab),
        "calls": figures(offered),
        "seconds": per_second(offered),
    }


def _site(lab: Lab, site: str) -> dict[str, Any]:
    leg = primary_leg(lab, site)
    if leg is None:
        return {"primary": None, "registered": [], "agents": [], "trunk": {}}
    registered = sorted(registrations(lab, leg))
    return {"primary": leg, "registered": registered, "agents": agents(lab, leg), "trunk": trunk(lab, leg)}


def table(now: dict[str, Any], seconds: int = 10) -> str:
    """A snapshot for people, with the last ``seconds`` of calls."""
    lines = [f"{'site':8} {'primary':10} {'phones':>6} {'agents':>6}  trunk"]
    for name, site in now["sites"].items():
        state = {0: "out of service", 1: "in service"}.get(site["trunk"].get("in_service"), "unknown")
        count = f"{len(site['registered']):6} {len(site['agents']):6}"
        lines.append(f"{name:8} {site['primary'] or 'none':10} {count}  {state}")
    for name, states in now["gateways"].items():
        lines.append(f"{name:8} {' '.join(f'{site}={flags}' for site, flags in states.items()) or 'silent'}")
    lines.append(f"ticket   {_ticket(now['ticket'])}")
    lines.append(f"calls    {_sum(now['calls'])}")
    for row in now["seconds"][-seconds:]:
        clock = time.strftime("%H:%M:%S", time.gmtime(row["at"]))
        lines.append(f"  {clock} offered {row['offered']:3} failed {row['failed']:3} {_by_site(row['answered'])}")
    return "\n".join(lines)


def _ticket(ticket: dict[str, Any] | None) -> str:
    if ticket is None:
        return "none, or no majority"
    armed, sync = ", ".join(ticket["armed"]) or "nobody", "sync" if ticket["sync"] else "not sync"
    revoked = f", revoked from {ticket['revoked_from']}" if ticket["revoked_from"] else ""
    return f"{ticket['holder'] or 'nobody'}{revoked}; armed: {armed}; {sync}"


def truth(lab: Lab, words: Sequence[str]) -> int:
    """``lab truth [--json]``: print what is true now; ``lab truth writers [--json]``: was there one writer, always?"""
    if "writers" in words:
        return truth_writers.show(lab, "--json" in words)
    now = snapshot(lab)
    print(json.dumps(now, indent=2) if "--json" in words else table(now))
    return 0


def calls(lab: Lab, words: Sequence[str]) -> None:
    """``lab calls start [RATE [HOLD]] | stop | show [--json]``: calls a second, and seconds that each lasts."""
    word, *rest = words or ["show"]
    if word == "start":
        start_calls(lab, *map(float, rest))
    elif word == "stop":
        stop_calls(lab)
    elif word == "show":
        total = figures(read_calls(lab))
        print(json.dumps(total, indent=2) if "--json" in words else _sum(total))
    else:
        raise LabError("lab calls start [RATE [HOLD]] | stop | show [--json]")


def _sum(total: dict[str, Any]) -> str:
    counts = [
        f"{name.replace('_', ' ')} {total[name]}" for name in ("offered", "answered", "failed", "open", "cut_off")
    ]
    return f"{', '.join(counts)}; {_by_site(total['by_site'])}"


def _by_site(counts: dict[str, int]) -> str:
    return " ".join(f"{site}={count}" for site, count in counts.items()) or "-"


def home_sites(topology: Topology) -> dict[int, str]:
    """Where each agent's shift begins, by DN: half of the dual lines at each site, single lines where they register."""
    first, second = topology.sites
    middle = DUAL_LINES[len(DUAL_LINES) // 2]
    return {dn: second if dn in DUAL_LINES and dn >= middle else first for dn in (*DUAL_LINES, *SINGLE_LINES)}


def sip_servers_missing(lab: Lab) -> list[str]:
    """Sites without a primary leg, legs whose page is silent, and trunks out of service, in words."""
    missing = [f"{site}: no SIP Server is primary" for site in lab.topology.sites if not primary_leg(lab, site)]
    for leg in lab.topology.of_kind("sip"):
        if not _curl(lab, leg.name, f"http://{leg.address}:{PAGE_PORT}/server?sipServer"):
            missing.append(f"{leg.name}: no monitoring page")
        if not trunk(lab, leg.name).get("in_service"):
            missing.append(f"{leg.name}: trunk out of service")
    return missing


def gateways_missing(lab: Lab) -> list[str]:
    """Sites that a gateway, and gateways that the carrier, does not see in service, in words."""
    watched = {host.name: lab.topology.sites for host in lab.topology.of_kind("gw")}
    watched[lab.topology.of_kind("pstn")[0].name] = [host.name for host in lab.topology.of_kind("gw")]
    return [
        f"{host}: {target} not in service"
        for host, targets in watched.items()
        for states in [gateway_states(lab, host)]
        for target in targets
        if states.get(target) != "AP"
    ]


def phones_missing(lab: Lab) -> list[str]:
    """Phones that are not registered where their lines say, in words; one sentence for each site."""
    first, second = lab.topology.sites
    wanted = {first: [*DUAL_LINES, *SINGLE_LINES], second: [*DUAL_LINES]}
    return _missing(lab, wanted, lambda leg: list(registrations(lab, leg)), "phones not registered")


def agents_missing(lab: Lab) -> list[str]:
    """Agents who are not logged in where their shift begins, in words; one sentence for each site."""
    homes = home_sites(lab.topology)
    wanted = {site: [dn for dn, home in homes.items() if home == site] for site in lab.topology.sites}
    return _missing(lab, wanted, lambda leg: agents(lab, leg), "agents not logged in")


def _missing(lab: Lab, wanted: dict[str, list[int]], read: Callable[[str], Iterable[str]], what: str) -> list[str]:
    words = []
    for site, dns in wanted.items():
        leg = primary_leg(lab, site)
        absent = {str(dn) for dn in dns} - set(read(leg) if leg else ())
        if absent:
            words.append(f"{site}: {len(absent)} {what} ({', '.join(sorted(absent)[:3])} …)")
    return words
