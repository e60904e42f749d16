# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Genesys Softphone: `Softphone.config`, XML with one `Connectivity` element for each registration.

`<Connectivity user="7001" server="10.71.1.100:5060" protocol="udp"/>` is seen in public configurations. That a second
element of the same user registers it a second time could not be verified; nor is any NOTIFY known that makes it read
the file again: it is started anew on its workstation, and the file must be brought there. Its registration's expiry
stands in another part of the file, which is not judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    DUAL,
    SINGLE,
    PhoneError,
    Server,
    Values,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Keys, Make, Options
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.xml_text import (
    Edit,
    Tag,
    change_of,
    changed,
    escaped,
    line_end,
    tags,
    value_at,
    with_line,
)

TEMPLATE = """<?xml version="1.0" encoding="utf-8"?>
<SoftphoneConfig>
  <Container name="Genesys">
    <Connectivity user="{{ dn }}" server="" protocol="udp"/>
  </Container>
</SoftphoneConfig>
"""

_KEY = re.compile(r"(?P<name>[^\[]+)\[(?P<number>\d+)\]@(?P<attribute>.+)\Z")


@dataclass(frozen=True)
class NumberedAttributes:
    """Keys are `Connectivity[2]@server`: an attribute of the second element of that name."""

    def values(self, text: str, keys: Iterable[str]) -> Values:
        """Return these attributes' values. Raises PhoneError when the text is malformed."""
        wanted = tuple(keys)
        all_tags = _tags(text, wanted)
        return {key: _value(text, all_tags, key) for key in wanted}

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values; an element that is not there comes after the last of its name."""
        all_tags = _tags(text, values)
        edits: List[Edit] = []
        for element, given in _by_element(values).items():
            edits += _edits(text, all_tags, element, given)
        return changed(text, edits)

    def escaped(self, value: str) -> str:
        """Return a value as it stands in a template."""
        return escaped(value)


def _tags(text: str, keys: Iterable[str]) -> List[Tag]:
    return tags(text, frozenset(key.partition("[")[0] for key in keys))


def _by_element(values: Mapping[str, Optional[str]]) -> Dict[str, Values]:
    found: Dict[str, Values] = {}
    for key, value in values.items():
        element, _at, attribute = key.partition("@")
        found.setdefault(element, {})[attribute] = value
    return found


def _elements(all_tags: List[Tag], name: str) -> List[Tag]:
    return [tag for tag in all_tags if tag.name == name and tag.kind != "close"]


def _value(text: str, all_tags: List[Tag], key: str) -> Optional[str]:
    found = _KEY.match(key)
    if not found:
        raise PhoneError(f"{key}: an element's number and attribute expected")
    there = _elements(all_tags, found["name"])[int(found["number"]) - 1 :]
    one = there[0].attributes.get(found["attribute"]) if there else None
    return value_at(text, one.value) if one else None


def _edits(text: str, all_tags: List[Tag], element: str, given: Values) -> List[Edit]:
    name, _bracket, number = element.rstrip("]").partition("[")
    there = _elements(all_tags, name)
    if len(there) >= int(number):
        return _changes(text, there[int(number) - 1], given)
    attributes = "".join(f' {key}="{escaped(value)}"' for key, value in given.items() if value is not None)
    if not attributes:
        return []
    if not there or there[-1].kind != "empty":
        raise PhoneError(f"{element}: the file has no <{name} …/> to put it after")
    last = there[-1]
    begin, end = with_line(text, last.start, last.end)
    new = f"<{name}{attributes}/>"
    return [(end, end, new if end == last.end else text[begin : last.start] + new + line_end(text))]


def _changes(text: str, tag: Tag, given: Values) -> List[Edit]:
    if tag.kind == "empty" and all(given.get(name, "") is None for name in tag.attributes):
        return [(*with_line(text, tag.start, tag.end), "")]
    edits = [change_of(tag.attributes[name], value) for name, value in given.items() if name in tag.attributes]
    new = [(name, value) for name, value in given.items() if name not in tag.attributes and value is not None]
    at = tag.end_of_attributes
    return edits + [(at, at, f' {name}="{escaped(value)}"') for name, value in new]


def _keys(options: Options) -> Keys:
    element = options["element"]
    found = {"user": f"{element}[1]@user"}
    for n in (1, 2):
        found.update({f"address{n}": f"{element}[{n}]@server", f"transport{n}": f"{element}[{n}]@protocol"})
    return found


def _copies(options: Options) -> Mapping[str, str]:
    return {f"{options['element']}[2]@user": f"{options['element']}[1]@user"}


@dataclass(frozen=True)
class GenesysSoftphone(Make):
    """It registers with every server that its file names: one of single registration names one."""

    def mode(self, values: Values) -> str:
        """Return dual when two servers are named."""
        return DUAL if len(self.servers(values)) > 1 else SINGLE

    def naming(self, servers: Sequence[Server], mode: str) -> Values:
        """Return the keys that name these servers, the first one first, and nothing else."""
        return super().naming(servers if mode == DUAL else servers[:1], mode)

    def day_one(self, values: Values, servers: Sequence[Server], mode: str, expires: int) -> Values:
        """Return what must stand in the file; a second element goes when the phone is of single registration."""
        if mode == DUAL:
            return super().day_one(values, servers, mode, expires)
        second = [self.keys["address2"], self.keys["transport2"], *self.copies_of(self.options)]
        gone: Values = {key: None for key in second if values.get(key) is not None}
        return {**super().day_one(values, servers[:1], mode, expires), **gone}


MAKE = GenesysSoftphone(
    name="genesys_softphone",
    check_sync="",
    syntax=NumberedAttributes(),
    template=TEMPLATE,
    options={"file_name": "{dn}.config", "element": "Connectivity"},
    keys_of=_keys,
    words_of=lambda options: {"udp": "udp", "tcp": "tcp"},
    default_expires=0,
    joined=True,
    copies_of=_copies,
)
