# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single-site mode by configuration: one site's SIP Server without its peer, until it is unpinned.

`dr-peer-trunk` is removed from the *primary* SIP Server's Application (the backup's options are copied from it), and
`dr-forward` from each DN that has its own, which overrides the Application's. The Application's `dr-forward` stays:
without a peer trunk SIP Server is "in the traditional single mode" as a whole, so there is nobody to forward to, and
what is not touched need not be put back (Genesys, Configuration Options for SIP Business Continuity, 8.1.0). An option
is removed, not set to NULL: how NULL is written is not documented. Both take effect at once.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, TypeVar
from urllib.parse import quote

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    DN,
    ConfigurationLayer,
    Key,
    LayerError,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.change import (
    Changed,
    Options,
    change,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.peering import Pair, PeeringError, names_a_trunk
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

PEER_TRUNK: Key = ("TServer", "dr-peer-trunk")
FORWARD: Key = ("TServer", "dr-forward")

Answer = TypeVar("Answer")
Wanted = Dict[Target, Options]


class Server(NamedTuple):
    """The SIP Server in the Configuration Layer."""

    application: str
    """Name of the primary's Application."""
    switch: str
    """dbid of its switch, whose DNs are looked through for their own dr-forward; empty: they are not looked at."""


class Waits(NamedTuple):
    """Seconds for the monitoring page to follow, and between two looks."""

    deadline: float
    interval: float


def record_of(state_dir: str, application: str) -> Recorded:
    """Return where this host keeps what stood before an Application was pinned."""
    return Recorded(state_dir, "sip_server_pin." + quote(application, safe=""))


class Pinning:
    """Pins and unpins one SIP Server. With `dry`, it logs in and reads only."""

    def __init__(
        self, layer: ConfigurationLayer, server: Server, pair: Pair, recorded: Recorded, waits: Waits, dry: bool
    ) -> None:
        """Take the Configuration Layer, whom it is about, its monitoring pages, and the record of what stood before."""
        self._layer = layer
        self._server = server
        self._pair = pair
        self._recorded = recorded
        self._waits = waits
        self._dry = dry
        self._seen: Dict[Target, Dict[str, Any]] = {}

    def pin(self, step: Step) -> Dict[str, Any]:
        """Save what stands, remove it, see that SIP Server follows. Raises RefusedError, LayerError, PeeringError."""
        standing = self._writable(self._standing)
        self._refuse_other_values(standing)
        removed: Wanted = {target: dict.fromkeys(options) for target, options in standing.items()}

        def save(target: Target) -> None:
            step.assert_newest()
            # Only now is it certain that this is what stands: a value that somebody else is changing is not saved.
            self._recorded.keep({str(target): _kept(target, standing[target])})

        changes = self._write(removed, save)
        return self._result(changes, self._follows(peered=False), "is pinned to single-site mode")

    def unpin(self, step: Step) -> Dict[str, Any]:
        """Put back exactly what was saved, see that SIP Server follows, forget it. Raises as `pin` does."""
        saved = {_target(kept): _options(kept) for kept in (self._recorded.read() or {}).values()}
        if not saved:
            seen = self._pair.observe()
            detail = f"{self._server.application}: no values are saved on this host, nothing is put back"
            return {"changed": False, "detail": f"{detail}; {seen['detail']}", "saved": {}, "peering": seen}
        self._writable(self._layer.log_in)
        changes = self._write(saved, lambda _target: step.assert_newest())
        result = self._result(changes, self._follows(peered=True), "is as it was before it was pinned")
        if not self._dry:
            self._recorded.forget()
        return result

    def _standing(self) -> Wanted:
        """What a pin removes: options that name a peer or forward to it. The Application comes first."""
        self._layer.log_in()
        target = Target(APPLICATION, self._server.application)
        found: Wanted = {}
        self._seen[target] = self._layer.read(target)
        value = self._layer.options(target, self._seen[target]).get(PEER_TRUNK)
        if names_a_trunk(value):
            found[target] = {PEER_TRUNK: value}
        for dn in self._layer.dns(self._server.switch) if self._server.switch else []:
            target = Target(DN, self._layer.number(dn), self._server.switch)
            self._seen[target] = dn
            value = self._layer.options(target, dn).get(FORWARD)
            if value is not None:
                found[target] = {FORWARD: value}
        return found

    def _write(self, wanted: Wanted, just_before: Callable[[Target], None]) -> Dict[Target, Changed]:
        changes = {}
        for number, (target, options) in enumerate(wanted.items()):
            write = partial(
                change, self._layer, target, options, partial(just_before, target), self._dry, self._seen.get(target)
            )
            # The first write tells whether the master takes any; what fails later is half done, and no refusal.
            changes[target] = write() if number else self._writable(write)
        return changes

    def _refuse_other_values(self, standing: Wanted) -> None:
        kept = self._recorded.read() or {}
        for target, options in standing.items():
            saved = _options(kept[str(target)]) if str(target) in kept else options
            if saved != options:
                raise RefusedError(
                    guard="saved values are never overwritten",
                    evidence=f"{target} has {_words(options)}, saved when it was pinned is {_words(saved)}",
                    way="unpin it first, or set it back to what was saved",
                )

    def _writable(self, what: Callable[[], Answer]) -> Answer:
        try:
            return what()
        except LayerError as error:
            raise RefusedError(
                guard="pinning needs a master Configuration Server that takes writes",
                evidence=str(error),
                way=(
                    "single-site mode comes by itself while the inter-site trunk is out of service: verify it (door"
                    " take_over); to pin it, bring a writable master back first"
                ),
            ) from error

    def _follows(self, peered: bool) -> Dict[str, Any]:
        """What the pages say; waited for where the primary's tells the option. Raises PeeringError."""
        looks: List[Dict[str, Any]] = []

        def there() -> bool:
            looks.append(self._pair.observe())
            told = looks[-1]["peer_trunk"]
            return self._dry or told is None or names_a_trunk(told) == peered

        if not wait_for(there, self._waits.deadline, self._waits.interval):
            raise PeeringError("dr-peer-trunk in force" if peered else "no dr-peer-trunk in force", looks[-1])
        return looks[-1]

    def _result(self, changes: Mapping[Target, Changed], seen: Dict[str, Any], words: str) -> Dict[str, Any]:
        before = {str(target): _named(one.before) for target, one in changes.items()}
        after = {str(target): _named(one.after) for target, one in changes.items()}
        changed = before != after
        told = "" if seen["peer_trunk"] is not None else "; its page does not tell dr-peer-trunk"
        detail = f"{self._server.application} {'would be changed' if changed and self._dry else words}{told}"
        saved = {name: _named(_options(kept)) for name, kept in (self._recorded.read() or {}).items()}
        result = {"changed": changed, "detail": f"{detail}; {seen['detail']}", "saved": saved, "peering": seen}
        return dict(result, diff={"before": before, "after": after}) if changed else result


def _kept(target: Target, options: Options) -> Dict[str, Any]:
    return {"target": list(target), "options": [[*key, value] for key, value in options.items()]}


def _target(kept: Mapping[str, Any]) -> Target:
    return Target(*kept["target"])


def _options(kept: Mapping[str, Any]) -> Options:
    return {(section, name): value for section, name, value in kept["options"]}


def _named(options: Mapping[Key, Optional[str]]) -> Dict[str, Optional[str]]:
    return {f"[{section}] {name}": value for (section, name), value in options.items()}


def _words(options: Mapping[Key, Optional[str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in _named(options).items())
