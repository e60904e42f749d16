# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the deployment's data before any connection: every problem at once, each by its path in the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import ITSELF, NO_WITNESS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import CLOSED
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import WITHOUT_MAC
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.addresses import (
    is_inside,
    overlaps,
    parse_address,
    parse_network,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.coordination_check import (
    check_coordination,
    check_replication,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_case import AddressOf, Case
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_schema import DEPLOYMENT
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.duplicates import duplicates
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.observer_check import (
    check_downtimes,
    check_paths,
    check_test_calls,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.policy_check import checked_policy
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import (
    MISSING,
    Problem,
    did_you_mean,
    show,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.tls_check import check_tls


def check_deployment(
    variables: Mapping[str, Any], address_of: AddressOf, failed_site: str | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the data with its defaults filled in, and everything that is wrong with it (empty: it may be used)."""
    problems: list[Problem] = []
    case = Case(DEPLOYMENT.read(variables, "", problems), address_of, problems)
    witness = case.data["continuity_witness"]
    case.data["continuity_policy"] = checked_policy(case.data["continuity_policy"], witness, case.problems)
    for check in CHECKS:
        check(case)
    if failed_site and failed_site not in case.sites:
        case.add("continuity_failed_site", f"one of the two sites{did_you_mean(failed_site, case.sites)}", failed_site)
    return case.data, case.problems


def report_lines(problems: list[Problem]) -> list[str]:
    """Return one line for each problem: path, what was expected, what stands there."""
    return [f"{item['path']}: expected {item['expected']}; found {item['found']}" for item in problems]


def _networks(case: Case) -> Iterator[tuple[str, str, str | None]]:
    """Yield (path, owner, network) of every network that the inventory declares."""
    for name, site in case.sites.items():
        for index, network in enumerate(site["networks"]):
            yield f"continuity_sites.{name}.networks[{index}]", name, network
    for zone, networks in case.data["continuity_networks"].items():
        for index, network in enumerate(networks):
            yield f"continuity_networks.{zone}[{index}]", zone, network


def _check_networks(case: Case) -> None:
    networks, owners = {}, {}
    for path, owner, network in _networks(case):
        networks[path], owners[path] = network, owner
        if network is not None and parse_network(network) is None:
            case.add(path, "a network with its prefix length and no host bits, such as 10.71.1.0/24", network)
    for first, second in overlaps(networks, owners):
        case.add(second, f"a network that shares no address with {first} ({networks[first]})", networks[second])


def _site_addresses(case: Case) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield (path, site, address) of every address that must lie inside a site."""
    for name, site in case.sites.items():
        path, server, configuration = f"continuity_sites.{name}", site["sip_server"], site["configuration"]
        yield f"{path}.sip_server.address", name, server["address"]
        for leg, data in server["legs"].items():
            yield f"{path}.sip_server.legs.{leg}.address", name, data["address"]
        yield f"{path}.configuration.address", name, configuration["address"]
        yield f"{path}.configuration.database.address", name, configuration["database"]["address"]
        if "stat_server" in site:
            yield f"{path}.stat_server.address", name, site["stat_server"]["address"]
    for name, data in case.data["continuity_gateways"].items():
        yield f"continuity_gateways.{name}.address", data["site"], data["address"]


def _check_addresses(case: Case) -> None:
    for path, site, address in _site_addresses(case):
        _check_address(case, path, address, case.networks_of(site), site)
    centre = case.data["continuity_networks"].get("contact_centre", [])
    for index, phone in enumerate(case.data["continuity_phones"]):
        _check_address(case, f"continuity_phones[{index}].address", phone["address"], centre, "contact_centre")


def _check_address(case: Case, path: str, address: str | None, networks: list[str | None], owner: object) -> None:
    if address is None:
        return
    if parse_address(address) is None:
        case.add(path, "an IP address", address)
    elif any(map(parse_network, networks)) and not is_inside(address, networks):
        case.add(path, f"an address in the networks of {owner} {show(networks)}", address)


def _site_hosts(case: Case) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield (path, site, host) of every inventory host that must stand inside a site."""
    for name, site in case.sites.items():
        path, configuration = f"continuity_sites.{name}", site["configuration"]
        for index, host in enumerate(site["vantage"]):
            yield f"{path}.vantage[{index}]", name, host
        for leg in site["sip_server"]["legs"]:
            yield f"{path}.sip_server.legs.{leg}", name, leg
        yield f"{path}.configuration.host", name, configuration["host"]
        yield f"{path}.configuration.database.host", name, configuration["database"]["host"]
    for name, data in case.data["continuity_gateways"].items():
        yield f"continuity_gateways.{name}", data["site"], name


def _other_hosts(case: Case) -> Iterator[tuple[str, str | None]]:
    """Yield (path, host) of every inventory host that may stand anywhere."""
    yield "continuity_provisioning.host", case.data.get("continuity_provisioning", {}).get("host")
    for name, data in case.data["continuity_service_names"].items():
        for index, host in enumerate(data["clients"]):
            yield f"continuity_service_names.{name}.clients[{index}]", host
    for index, host in enumerate(case.data["continuity_coordination"]["hosts"]):
        yield f"continuity_coordination.hosts[{index}]", host


def _check_hosts(case: Case) -> None:
    for path, site, host in _site_hosts(case):
        if host is not None and _exists(case, path, host):
            _check_place(case, path, host, site)
    for path, host in _other_hosts(case):
        if host is not None:
            _exists(case, path, host)


def _exists(case: Case, path: str, host: str) -> bool:
    if case.address_of(host) is not None:
        return True
    case.add(path, "a host of the inventory", host)
    return False


def _check_place(case: Case, path: str, host: str, site: str | None) -> None:
    networks, address = case.networks_of(site), case.address_of(host)
    if any(map(parse_network, networks)) and not is_inside(address, networks):
        case.add(
            path, f"a host whose ansible_host lies in the networks of {site} {show(networks)}", f"{host} {address}"
        )


def _check_witness(case: Case) -> None:
    path, host = "continuity_witness", case.data["continuity_witness"]
    if host is None or host == NO_WITNESS or not _exists(case, path, host):
        return
    address, networks = case.address_of(host), case.data["continuity_networks"].get("witness", [])
    for site in case.sites:
        if is_inside(address, case.networks_of(site)):
            case.add(path, f"a host outside both sites; it stands in {site}'s networks", f"{host} {address}")
    _check_witness_network(case, host, address, networks)


def _check_witness_network(case: Case, host: str, address: str | None, networks: list[str | None]) -> None:
    if any(map(parse_network, networks)) and not is_inside(address, networks):
        case.add(
            "continuity_witness",
            f"a host whose ansible_host lies in continuity_networks.witness {show(networks)}",
            f"{host} {address}",
        )


def _check_gateways(case: Case) -> None:
    gateways, one_sided = case.data["continuity_gateways"], case.data["continuity_gateways_one_sided"]
    for name, data in gateways.items():
        if data["site"] is not None and data["site"] not in case.sites:
            case.add(
                f"continuity_gateways.{name}.site",
                f"one of the two sites{did_you_mean(data['site'], case.sites)}",
                data["site"],
            )
        if data["driver"] in CLOSED and data.get("managed_from") == ITSELF:
            case.add(
                f"continuity_gateways.{name}.managed_from", f"elsewhere: no module runs on {data['driver']}", ITSELF
            )
    at = sorted({data["site"] for data in gateways.values() if data["site"] in case.sites})
    if len(at) == 1 and not one_sided:
        case.add(
            "continuity_gateways",
            "a media gateway at each site, or continuity_gateways_one_sided: true if that is how it is",
            f"gateways at {at[0]} only",
        )
    if len(at) == 2 and one_sided:
        case.add("continuity_gateways_one_sided", "false: there are gateways at both sites", True)


def _check_phones(case: Case) -> None:
    for index, phone in enumerate(case.data["continuity_phones"]):
        path, servers = f"continuity_phones[{index}]", phone["servers"]
        if len(case.sites) == 2 and sorted(map(str, servers)) != sorted(case.sites):
            known = ", ".join(case.sites)
            case.add(f"{path}.servers", f"a first and a second server, both sites in either order: [{known}]", servers)
        for key in ("driver", "mac"):
            if phone["registration"] == "single" and key not in phone and not _needs_none(phone, key):
                case.add(f"{path}.{key}", "how a phone with a single registration is provisioned", MISSING)
    single = [index for index, phone in enumerate(case.data["continuity_phones"]) if phone["registration"] == "single"]
    if single and "continuity_provisioning" not in case.data:
        expected = f"host and directory of the phones' files: continuity_phones[{single[0]}] registers once only"
        case.add("continuity_provisioning", expected, MISSING)


def _needs_none(phone: Mapping[str, Any], key: str) -> bool:
    return key == "mac" and phone.get("driver") in WITHOUT_MAC


def _check_phones_file(case: Case) -> None:
    path = "continuity_phones_file"
    if case.data.get(path) is None:
        return
    if case.data["continuity_phones"]:
        case.add(path, "no file beside continuity_phones: one of the two says all phones", case.data[path])
    if "continuity_provisioning" not in case.data:
        expected = f"host and directory of the phones' files: the host has {path}, too"
        case.add("continuity_provisioning", expected, MISSING)


def _check_desktops(case: Case) -> None:
    for name in case.data.get("continuity_desktops", {}).get("sites", {}):
        if name not in case.sites:
            case.add(f"continuity_desktops.sites.{name}", f"one of the two sites{did_you_mean(name, case.sites)}", name)


def _check_duplicates(case: Case) -> None:
    case.problems.extend(duplicates(case.data))


CHECKS: tuple[Callable[[Case], None], ...] = (
    _check_networks,
    _check_addresses,
    _check_hosts,
    _check_witness,
    _check_gateways,
    _check_phones,
    _check_phones_file,
    _check_desktops,
    check_coordination,
    check_replication,
    _check_duplicates,
    check_tls,
    check_test_calls,
    check_paths,
    check_downtimes,
)
