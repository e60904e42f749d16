# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drivers share: a make is its keys, its syntax and some words; see driver.py for what can be asked of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    DUAL,
    SINGLE,
    Phone,
    PhoneError,
    Server,
    Standing,
    Syntax,
    Values,
)

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HOST_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:;\[\]|]+)(?::(?P<port>\d{1,5}))?(?:;.*)?\Z")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*(?:/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)?\Z")

Options = Mapping[str, str]
Keys = Mapping[str, str]
"""The make's own name of each of: user, address1, address2, port1, port2, transport1, transport2, mode, expires1,
expires2, outbound1, outbound2, outbound_on (1 where they are used at all); what a make has not is left out."""


def host_port(server: Server) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{server.address}]:{server.port}" if ":" in server.address else f"{server.address}:{server.port}"


def server_at(text: str, key: str) -> Optional[Server]:
    """Return the server of `host:port`, None of nothing. Without a port it is 5060 (RFC 3261 19.1.2).

    Raises PhoneError, which names the key.
    """
    if not text:
        return None
    found = _HOST_PORT.match(text)
    if not found:
        raise PhoneError(f"{key}: host:port expected, it is {text!r}")
    return Server(found["host"].strip("[] "), int(found["port"] or 5060))


def _nothing(_options: Options) -> Values:
    return {}


def _none(_options: Options) -> Mapping[str, str]:
    return {}


def _no_modes(_options: Options) -> Mapping[str, Values]:
    return {}


@dataclass(frozen=True)
class Make:
    """One make of phone; what has `options` as its argument depends on what the site has set.

    options: names and values that a site may set otherwise, with their defaults. keys_of: the make's keys.
    words_of: what the values of `mode` and `transport…` are called. default_expires: seconds, when the file says
    nothing; 0 when the file cannot say. joined: an address has its port beside it in one value.
    always_of, modes_of: further keys and values that a file has from day one, in any mode and by mode. mirrors_of: keys
    that follow another. copies_of: keys of the second registration, taken from the first where they are empty.
    secrets: how the keys begin whose values are never shown. restart_of: the key that makes a NOTIFY restart the phone
    with the value 1, and what it is when it is not said; an empty key for none.
    """

    name: str
    check_sync: str
    syntax: Syntax
    template: str
    options: Options
    keys_of: Callable[[Options], Keys]
    words_of: Callable[[Options], Mapping[str, str]]
    default_expires: int
    joined: bool = False
    always_of: Callable[[Options], Values] = _nothing
    modes_of: Callable[[Options], Mapping[str, Values]] = _no_modes
    mirrors_of: Callable[[Options], Mapping[str, str]] = _none
    copies_of: Callable[[Options], Mapping[str, str]] = _none
    secrets: Tuple[str, ...] = ()
    restart_of: Tuple[str, str] = ("", "0")

    @cached_property
    def keys(self) -> Keys:
        """The keys under the options of this site."""
        return self.keys_of(self.options)

    @cached_property
    def words(self) -> Mapping[str, str]:
        """What the make calls single, dual, udp and tcp."""
        return self.words_of(self.options)

    def file_name(self, phone: Phone) -> str:
        """Return the name of the phone's own file; one directory below is allowed. Raises PhoneError."""
        name = self.options["file_name"]
        if "{mac}" in name.lower() and not phone.mac:
            raise PhoneError(f"{phone.name}: mac: 12 hexadecimal digits expected, none given")
        for placeholder, value in {"{mac}": phone.mac, "{MAC}": phone.mac.upper(), "{dn}": phone.dn}.items():
            name = name.replace(placeholder, value)
        if not _FILE_NAME.match(name):
            raise PhoneError(f"{phone.name}: file_name: {name!r} is no name below the provisioning directory")
        return name

    def values(self, text: str) -> Values:
        """Return the keys that say where the phone registers, with those that a file has from day one."""
        return self.syntax.values(text, self._asked)

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values and nothing else changed; None removes a key. Raises PhoneError."""
        return self.syntax.with_values(text, values)

    def toward(self, values: Values, server: Server) -> Values:
        """Return what must stand there for the phone to register with that server first."""
        named = self.servers(values)
        # Named second, it changes places with the first; else it comes instead of the first.
        others = [named[0], *named[2:]] if server.place in [one.place for one in named[1:]] else list(named[1:])
        return self.naming([server, *others], self.mode(values))

    def registers_with(self, values: Values) -> Server:
        """Return the server that these values name first; its address is empty when they name none."""
        named = self.servers(values)
        return named[0] if named else Server("")

    def standing(self, values: Values) -> Standing:
        """Return what these values say. Raises PhoneError."""
        keys = [self.keys[name] for name in ("outbound1", "outbound2") if name in self.keys]
        used = "outbound_on" not in self.keys or values.get(self.keys["outbound_on"]) == "1"
        outbound = tuple(values.get(key) or "" for key in keys) if used else ()
        return Standing(self.servers(values), self.mode(values), self._expires(values), outbound)

    def mode(self, values: Values) -> str:
        """Return single or dual as the file says, or nothing when it does not."""
        said = values.get(self.keys.get("mode", ""))
        return next((mode for mode in (SINGLE, DUAL) if said is not None and self.words.get(mode) == said), "")

    def servers(self, values: Values) -> Tuple[Server, ...]:
        """Return the servers that these values name, in their order."""
        found = [self._server(values, number) for number in ("1", "2") if f"address{number}" in self.keys]
        return tuple(server for server in found if server)

    def naming(self, servers: Sequence[Server], mode: str) -> Values:
        """Return the keys that name these servers, the first one first, and nothing else."""
        named: Values = {}
        for number, server in enumerate(servers, start=1):
            address = self.keys[f"address{number}"]
            named[address] = host_port(server) if self.joined else server.address
            if not self.joined:
                named[self.keys[f"port{number}"]] = str(server.port)
        mirrors = self.mirrors_of(self.options).items()
        return {**named, **{key: named[other] for key, other in mirrors if other in named}}

    def day_one(self, values: Values, servers: Sequence[Server], mode: str, expires: int) -> Values:
        """Return what must stand in the file for the phone to have both sites from day one."""
        wanted = {**self.always_of(self.options), **self.modes_of(self.options).get(mode, {})}
        wanted.update(self.naming(servers, mode))
        for number, server in enumerate(servers, start=1):
            self._put(wanted, f"transport{number}", self.words.get(server.transport))
            self._put(wanted, f"expires{number}", str(expires))
        self._put(wanted, "mode", self.words.get(mode))
        if mode == DUAL:
            copies = self.copies_of(self.options).items()
            wanted.update({key: values[first] for key, first in copies if not values.get(key) and values.get(first)})
        return wanted

    def new_text(self, phone: Phone, template: Optional[str]) -> str:
        """Return the phone's text from a template, or from the driver's own. Raises PhoneError."""
        known = {
            "dn": phone.dn,
            "name": phone.name,
            "label": phone.label or phone.dn,
            "auth_name": phone.auth_name or phone.dn,
            "password": phone.password,
            "mac": phone.mac,
        }

        def filled(found: re.Match[str]) -> str:
            if found[1] not in known:
                raise PhoneError(f"template: {{{{ {found[1]} }}}} is not known; there are {', '.join(known)}")
            return self.syntax.escaped(known[found[1]])

        return _PLACEHOLDER.sub(filled, self.template if template is None else template)

    def problems(self, values: Values, mode: str, max_expires: int) -> Tuple[str, ...]:
        """Return what is wrong with a file of these values, each beginning with the key."""
        keys = self.keys
        found: List[str] = [] if values.get(keys["user"]) else [f"{keys['user']}: it is not set"]
        standing = self.standing(values)
        if not standing.servers:
            found.append(f"{keys['address1']}: it names no server")
        elif mode == DUAL:
            found += self._dual_problems(standing)
        return (*found, *self._expiry_problems(standing.expires, max_expires))

    def expires_of(self, standing: Standing) -> int:
        """Return the seconds until a registration ends, the make's own when the file does not say; 0: not known."""
        return self.default_expires if standing.expires is None else standing.expires

    def restarts(self, values: Values) -> bool:
        """Whether a NOTIFY restarts a phone with these values, be it in a call or not."""
        key, unsaid = self.restart_of
        return (values.get(key) or unsaid) == "1"

    def shown(self, key: str, value: Optional[str]) -> str:
        """Return a value for a person: secrets do not show."""
        if value is None:
            return "(none)"
        return "(secret)" if key.startswith(self.secrets) else value

    @cached_property
    def _asked(self) -> Tuple[str, ...]:
        options = self.options
        copies = self.copies_of(options)
        asked = [*self.keys.values(), *self.mirrors_of(options), *copies, *copies.values(), *self.always_of(options)]
        asked += [key for values in self.modes_of(options).values() for key in values]
        return tuple(dict.fromkeys(asked))

    def _dual_problems(self, standing: Standing) -> List[str]:
        second = self.keys["address2"]
        if len(standing.servers) < 2:
            return [f"{second}: the second site is not named"]
        if standing.servers[0].place == standing.servers[1].place:
            return [f"{second}: it names the same server as {self.keys['address1']}"]
        if standing.mode != DUAL:
            return [f"{self.keys['mode']}: {self.words[DUAL]} expected for dual registration"]
        return []

    def _expiry_problems(self, expires: Optional[int], max_expires: int) -> List[str]:
        key = self.keys.get("expires1", "expires")
        if expires is None and self.default_expires > max_expires:
            return [f"{key}: not set, and the make's {self.default_expires} s are over {max_expires}"]
        if expires is not None and not 0 < expires <= max_expires:
            return [f"{key}: {expires} s, 1 to {max_expires} are allowed"]
        return []

    def _expires(self, values: Values) -> Optional[int]:
        keys = [self.keys[name] for name in ("expires1", "expires2") if name in self.keys]
        given = [_number(key, values.get(key) or "") for key in keys if values.get(key)]
        return max(given) if given else None

    def _server(self, values: Values, number: str) -> Optional[Server]:
        key = self.keys[f"address{number}"]
        text = values.get(key) or ""
        if self.joined or not text:
            return server_at(text, key)
        port = self.keys[f"port{number}"]
        return Server(text, _number(port, values.get(port) or "5060"))

    def _put(self, wanted: Values, name: str, value: Optional[str]) -> None:
        if name in self.keys and value is not None:
            wanted[self.keys[name]] = value


def _number(key: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise PhoneError(f"{key}: a number expected, it is {text!r}")
    return int(text)
