# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways in which makes put one value for each key into XML.

Elements (`<Proxy_1_ ua="na">host</Proxy_1_>`, `<user_host idx="1">host</user_host>`), and attributes
(`reg.1.server.1.address="host"`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError, Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.xml_text import (
    TWICE,
    Attribute,
    Edit,
    Tag,
    change_of,
    changed,
    escaped,
    inserted,
    tags,
    value_at,
    with_line,
)


@dataclass(frozen=True)
class Place:
    """Where one key's value stands, and what is taken away with the key. empty: the tag, when it closes itself."""

    value: Tuple[int, int]
    whole: Tuple[int, int]
    empty: Optional[Tag] = None


@dataclass(frozen=True)
class XmlElements:
    """Keys are `Name`, or `Name[1]` for the element with that idx. New ones come at the end of a `container`.

    attributes: what a new element has beside its idx, with a blank before it.
    """

    container: str
    attributes: str = ""

    def values(self, text: str, keys: Iterable[str]) -> Values:
        """Return these elements' values. Raises PhoneError when one stands there twice, or the text is malformed."""
        wanted = tuple(keys)
        found = _elements(text, self._tags(text, wanted), wanted)
        return {key: value_at(text, found[key].value) if key in found else None for key in wanted}

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values. Raises PhoneError when there is no container for a new element."""
        all_tags = self._tags(text, values)
        found = _elements(text, all_tags, values)
        edits: List[Edit] = []
        added: List[str] = []
        for key, value in values.items():
            if key in found:
                edits.append(_element_edit(text, found[key], value))
            elif value is not None:
                added.append(self._element(key, value))
        if added:
            edits.append(inserted(text, self._end_of_container(all_tags), added))
        return changed(text, edits)

    def escaped(self, value: str) -> str:
        """Return a value as it stands in a template."""
        return escaped(value)

    def _tags(self, text: str, keys: Iterable[str]) -> List[Tag]:
        return tags(text, frozenset([self.container, *(key.partition("[")[0] for key in keys)]))

    def _element(self, key: str, value: str) -> str:
        name, _bracket, index = key.rstrip("]").partition("[")
        given = (f' idx="{index}"' if index else "") + self.attributes
        return f"<{name}{given}>{escaped(value)}</{name}>"

    def _end_of_container(self, all_tags: List[Tag]) -> int:
        for tag in all_tags:
            if tag.name == self.container and tag.kind == "close":
                return tag.start
        raise PhoneError(f"</{self.container}>: the file has no such element to put new ones into")


@dataclass(frozen=True)
class XmlAttributes:
    """Keys are names of attributes, each of which stands once in the file, at whatever element.

    New ones join the first element that has an attribute beginning with `family`, else the root.
    """

    family: str

    def values(self, text: str, keys: Iterable[str]) -> Values:
        """Return these attributes' values. Raises PhoneError when one stands there twice, or the text is malformed."""
        wanted = tuple(keys)
        found = _attributes(tags(text), wanted)
        return {key: value_at(text, found[key].value) if key in found else None for key in wanted}

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values. Raises PhoneError."""
        all_tags = tags(text)
        found = _attributes(all_tags, values)
        edits = [change_of(found[key], value) for key, value in values.items() if key in found]
        new = [(key, value) for key, value in values.items() if key not in found and value is not None]
        if new:
            at = self._home(all_tags).end_of_attributes
            edits.append((at, at, "".join(f' {key}="{escaped(value)}"' for key, value in new)))
        return changed(text, edits)

    def escaped(self, value: str) -> str:
        """Return a value as it stands in a template."""
        return escaped(value)

    def _home(self, all_tags: List[Tag]) -> Tag:
        of_family = (tag for tag in all_tags if any(name.startswith(self.family) for name in tag.attributes))
        return next(of_family, all_tags[0])


def _elements(text: str, all_tags: List[Tag], keys: Iterable[str]) -> Dict[str, Place]:
    wanted = frozenset(keys)
    found: Dict[str, Place] = {}
    for index, tag in enumerate(all_tags):
        if tag.kind == "close":
            continue
        key = _key(text, tag)
        if key not in wanted:
            continue
        if key in found:
            raise PhoneError(f"{key}: {TWICE}")
        found[key] = _place(text, tag, all_tags[min(index + 1, len(all_tags) - 1)], key)
    return found


def _place(text: str, tag: Tag, following: Tag, key: str) -> Place:
    if tag.kind == "empty":
        return Place((tag.end, tag.end), with_line(text, tag.start, tag.end), tag)
    if following.kind != "close":
        raise PhoneError(f"{key}: plain text is expected there")
    return Place((tag.end, following.start), with_line(text, tag.start, following.end))


def _key(text: str, tag: Tag) -> str:
    index = tag.attributes.get("idx")
    return f"{tag.name}[{text[index.value[0] : index.value[1]]}]" if index else tag.name


def _element_edit(text: str, place: Place, value: Optional[str]) -> Edit:
    if value is None:
        return (*place.whole, "")
    if place.empty is None:
        return (*place.value, escaped(value))
    tag = place.empty
    opened = text[tag.start : tag.end - 2].rstrip()
    return (tag.start, tag.end, f"{opened}>{escaped(value)}</{tag.name}>") if value else (tag.end, tag.end, "")


def _attributes(all_tags: List[Tag], keys: Iterable[str]) -> Dict[str, Attribute]:
    wanted = frozenset(keys)
    found: Dict[str, Attribute] = {}
    for name, one in ((name, one) for tag in all_tags for name, one in tag.attributes.items() if name in wanted):
        if name in found:
            raise PhoneError(f"{name}: {TWICE}")
        found[name] = one
    return found
