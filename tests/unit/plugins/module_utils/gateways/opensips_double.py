"""OpenSIPS' dispatcher over its MI, after modules/dispatcher README ("Exported MI Functions") and ds_print_mi_list.

States live in memory and in the table's `state` column (persistent_state 1): `ds_reload` and a restart read the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .serving import Manners, json_rpc, serve_http

SITE1, SITE2 = "sip:10.71.1.100:5060", "sip:10.71.2.100:5060"
_STATES = {"a": "Active", "i": "Inactive", "p": "Probing"}


class Device(Manners):
    """Set 1 of the default partition has both sites, site1 first; set 2 another destination."""

    def __init__(self) -> None:
        super().__init__()
        rows = [(1, SITE1, "site1"), (1, SITE2, "dc=west;site2"), (2, "sip:10.9.9.9:5060", "other")]
        self.table = [
            {"setid": group, "destination": uri, "state": "Active", "attrs": attrs, "priority": 0, "weight": 1}
            for group, uri, attrs in rows
        ]
        self.fails_on = ""
        self.forgets = False

    @property
    def text(self) -> str:
        """What survives a restart: the table, without what its pings found."""
        return "\n".join(f"{row['setid']} {row['destination']} {row['state']}" for row in self.table)

    def call(self, method: str, params: dict) -> tuple[int, object]:
        """HTTP status, and the result or the error's message."""
        if method == "ds_list":
            return 200, {"PARTITIONS": [{"name": "default", "SETS": [self._set(group, params) for group in (1, 2)]}]}
        if method == "ds_set_state":
            return self._set_state(**params)
        return (200, "OK") if method == "ds_reload" else (404, "Method not found")

    def state(self, uri: str, letter: str) -> None:
        """What its pings, or a person, made of a destination."""
        next(row for row in self.table if row["destination"] == uri)["state"] = _STATES[letter]

    def _set_state(self, state: str, group: str, address: str) -> tuple[int, object]:
        if self.fails_on == address:
            return 500, "failed"
        partition, _, number = group.rpartition(":")
        if partition not in ("", "default"):
            return 500, "address not found"
        rows = [row for row in self.table if (str(row["setid"]), row["destination"]) == (number, address)]
        for row in [] if self.forgets else rows:
            row["state"] = _STATES[state]
        return (200, "OK") if rows else (404, "destination not found")

    def _set(self, group: int, params: dict) -> dict:
        rows = [row for row in self.table if row["setid"] == group]
        return {"id": group, "Destinations": [self._destination(row, bool(params.get("full"))) for row in rows]}

    @staticmethod
    def _destination(row: dict, full: bool) -> dict:
        shown = {"URI": row["destination"], "state": row["state"], "first_hit_counter": 7, "attr": row["attrs"]}
        return {**shown, **({"weight": row["weight"], "priority": row["priority"]} if full else {})}


@contextmanager
def running() -> Iterator[tuple[dict, Device]]:
    """The options of a driver, and the device."""
    device = Device()
    with serve_http(device, lambda _method, _path, _headers, body: json_rpc(device.call, body)) as url:
        yield {"mi_url": f"{url}/mi", "targets": {"site1": SITE1, "site2": "site2"}, "mi_timeout": 0.5}, device
