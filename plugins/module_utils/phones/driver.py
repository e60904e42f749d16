# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones and servers as the inventory describes them, and what every phone driver can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterable, Mapping, Optional, Protocol, Sequence, Tuple

Values = Dict[str, Optional[str]]
"""Some of a provisioning file's keys; None is a key that is not there."""

SINGLE, DUAL = "single", "dual"


class PhoneError(Exception):
    """A phone cannot be moved or is described wrongly; the message names the phone and what was expected."""


@dataclass(frozen=True)
class Server:
    """A site's SIP address as phones know it."""

    address: str
    port: int = 5060
    transport: str = "udp"

    @property
    def place(self) -> Tuple[str, int]:
        """Address and port: provisioning files do not always say the transport."""
        return self.address, self.port


@dataclass(frozen=True)
class Phone:
    """One phone. `mac` and `driver` are needed for a provisioning file; `sites` are its sites, the preferred one first.

    label, auth_name, password: only for a file that is made from a template. The password never shows.
    """

    name: str
    dn: str
    registration: str
    address: str
    port: int = 5060
    transport: str = "udp"
    driver: str = ""
    mac: str = ""
    sites: Tuple[str, ...] = ()
    label: str = ""
    auth_name: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_single(self) -> bool:
        """True when it registers with one server only, the one that it is provisioned to."""
        return self.registration == SINGLE

    @property
    def has_file(self) -> bool:
        """True when the inventory says which provisioning file is its own."""
        return bool(self.driver)


@dataclass(frozen=True)
class Standing:
    """What a provisioning file says.

    servers: in their order. mode: single, dual or nothing. expires: seconds until a registration ends, None when it is
    not said. outbound: the outbound proxy beside each server, empty for none.
    """

    servers: Tuple[Server, ...]
    mode: str
    expires: Optional[int]
    outbound: Tuple[str, ...]


class Syntax(Protocol):
    """How keys and values stand in a make's files. Everything that is not asked for stays byte for byte."""

    def values(self, text: str, keys: Iterable[str]) -> Values:
        """Return these keys' values. Raises PhoneError when the text is malformed, or a key stands there twice."""

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values; a key that is not there is added, None removes it. Raises PhoneError."""

    def escaped(self, value: str) -> str:
        """Return a value as it stands in a template of this syntax. Raises PhoneError for what cannot stand there."""


class Driver(Protocol):
    """A make of phone: its provisioning file as text, and the event that makes it read the file again."""

    @property
    def check_sync(self) -> str:
        """Value of the Event header of the NOTIFY; it never restarts a phone with a call. Empty: no NOTIFY helps."""

    def file_name(self, phone: Phone) -> str:
        """Return the name of the phone's own file, within the provisioning directory. Raises PhoneError."""

    def values(self, text: str) -> Values:
        """Return the keys that say where the phone registers, as they stand in its file. Raises PhoneError."""

    def toward(self, values: Values, server: Server) -> Values:
        """Return what must stand there for the phone to register with that server first.

        A file that names the server second gets both in the other order, so that no site is forgotten.
        """

    def registers_with(self, values: Values) -> Server:
        """Return the server that these values name first; its address is empty when they name none."""

    def standing(self, values: Values) -> Standing:
        """Return what these values say. Raises PhoneError for a value that cannot be understood."""

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values and nothing else changed; None removes a key. Raises PhoneError."""

    def day_one(self, values: Values, servers: Sequence[Server], mode: str, expires: int) -> Values:
        """Return what must stand in the file for the phone to have both sites from day one."""

    def new_text(self, phone: Phone, template: Optional[str]) -> str:
        """Return the phone's text from a template, or from the driver's own. Raises PhoneError."""

    def problems(self, values: Values, mode: str, max_expires: int) -> Tuple[str, ...]:
        """Return what is wrong with a file of these values, each beginning with the key."""

    def expires_of(self, standing: Standing) -> int:
        """Return the seconds until a registration ends, the make's own when the file does not say; 0: not known."""

    def restarts(self, values: Values) -> bool:
        """Whether a NOTIFY restarts a phone with these values, be it in a call or not."""

    def shown(self, key: str, value: Optional[str]) -> str:
        """Return a value for a person: secrets do not show."""
