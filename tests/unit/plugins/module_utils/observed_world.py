# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of a healthy deployment, to be spoilt by a test, and the observation that is made of them."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, signals
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import probe_checks, to_observation

META = {"taken_at": "2026-01-31T03:14:15Z", "started_at": "2026-01-31T03:14:03Z"}


def site(number, vantage=None):
    net = f"10.71.{number}"
    return {
        "networks": [f"{net}.0/24"],
        "vantage": vantage or [f"s{number}-cfg"],
        "sip_server": {
            "address": f"{net}.100",
            "port": 5060,
            "transport": "udp",
            "application": f"SIP_Server_{number}",
            "legs": {f"s{number}-sip-a": {"address": f"{net}.11"}, f"s{number}-sip-b": {"address": f"{net}.12"}},
            "monitoring_port": 8080,
            "trunk": {"dn": "trunk_peer", "oos_check": 1, "oos_force": 2},
            "lca_port": 4999,
            "test_dn": f"800{number}",
            "capacity": 100,
        },
        "configuration": {
            "host": f"s{number}-cfg",
            "address": f"{net}.20",
            "port": 2020,
            "proxy_port": 2025,
            "database": {"host": f"s{number}-cfg", "address": f"{net}.20", "port": 5432},
        },
    }


def gateway(at):
    address = f"10.71.{at[-1]}.30"
    return {"site": at, "driver": "kamailio", "address": address, "port": 5060, "transport": "udp"}


def deployed(gateways=None, witness="witness", vantage1=None, vantage2=None):
    gateways = gateways or {"s1-gw": "site1", "s2-gw": "site2"}
    return {
        "continuity_sites": {"site1": site(1, vantage1), "site2": site(2, vantage2)},
        "continuity_witness": witness,
        "continuity_gateways": {name: gateway(at) for name, at in gateways.items()},
        "continuity_coordination": {
            "driver": "files",
            "hosts": ["s1-cfg", "s2-cfg"],
            "directory": "/var/lib/sip-dr",
        },
        "continuity_policy": {},
    }


def said(value, answered=None, **more):
    return {"value": value, "answered": value == "up" if answered is None else answered, "detail": "", **more}


def target(value, answered=None):
    return said(value, answered, options=value)


def healthy_answer(check):
    more = {}
    if check["signal"] == "inside" and check["kind"] == "monitoring_page":
        more = {"run_mode": "primary" if check["part"].endswith("-a") else "backup"}
    if check["kind"] == "gateway":
        more = {"targets": {name: target("up") for name in check["sites"]}, "prefers": check["about"]}
    if check["kind"] == "running_calls":
        more = {"calls": 40}
    if check["kind"] == "database":
        more = {"role": "primary", "lag": 512} if check["about"] == "site1" else {"role": "standby", "lag": None}
    value = "down" if check["signal"] == "master" and check["about"] == "site2" else "up"
    return {**said(value), "id": check["id"], "kind": check["kind"], **more}


class World:
    """The answers of a healthy deployment, to be spoilt by a test."""

    def __init__(self, **how):
        self.continuity = deployed(**how)
        self.probes = {
            host: {"reached": True, "answers": [healthy_answer(check) for check in probe_checks(self.continuity, host)]}
            for host in deployment.observers(self.continuity)
        }
        self.meta = dict(META)

    def silence(self, *hosts):
        for host in hosts:
            self.probes[host] = {"reached": False}
        return self

    def answer(self, host, prefix, value, answered=None, **more):
        found = [one for one in self.probes[host].get("answers", []) if one["id"].startswith(prefix)]
        assert found, prefix
        for one in found:
            one.update(said(value, answered, **more))
        return self

    def gateway(self, host, **values):
        answers = self.probes[host]["answers"]
        answers[0]["targets"] = {name: target(value, value == "up") for name, value in values.items()}
        answers[0]["value"] = "up" if "up" in values.values() else "down"
        return self

    def calls(self, host, **values):
        for name, value in values.items():
            self.answer(host, f"calls:{name}", value)
        return self

    def unreadable(self, host, options="down"):
        one = self.probes[host]["answers"][0]
        one.update(said("unknown", False))
        one["targets"] = {name: {**said("unknown", options == "up"), "options": options} for name in one["targets"]}
        return self

    def downtime(self, name):
        self.meta["downtime"] = [
            {"at": "2026-01-31T03:00:00Z", "name": name, "by": "alice", "until": "2026-01-31T04:00:00Z"}
        ]
        return self

    def lose(self, number):
        """The whole site goes: its hosts are silent, nobody outside gets an answer about it."""
        name, other = f"site{number}", 3 - number
        self.silence(f"s{number}-cfg", f"s{number}-gw")
        self.answer(f"s{other}-cfg", f"peer:{name}", "down").answer(f"s{other}-cfg", f"mgmt:{name}", "down")
        self.answer(f"s{other}-cfg", f"master:{name}", "down")
        self.answer("witness", f"witness:{name}", "down").answer("witness", f"master:{name}", "down")
        self.calls(f"s{other}-gw", **{name: "down"})
        return self.gateway(f"s{other}-gw", **{name: "down", f"site{other}": "up"})

    def look(self):
        return to_observation(self.continuity, self.probes, self.meta)

    def values(self, name):
        return {signal: self.look()["sites"][name][signal]["value"] for signal in signals.RULES}

    def signal(self, name, signal):
        return self.look()["sites"][name][signal]
