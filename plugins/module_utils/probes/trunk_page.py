# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a Trunk DN's "In Service status" from SIP Server's `/server?sipTrunkStatistics`, whatever its shape.

That the page has that status for each Trunk DN is documented (Genesys, SIP Server HTTP Monitoring Interface); how it is
written is in no page that we could read. So what is read is a table with a heading, in HTML or text; XML elements and
attributes; and in any other text pairs of name and value, or a line that has the DN and says "in service" or "out of
service". A status that cannot be told to belong to this DN is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Optional
from xml.etree import ElementTree

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import (
    ATTRIBUTE,
    LINE,
    TAG,
    PageNames,
    local,
    plain,
    plains,
    xml,
)

Pairs = list[tuple[str, str]]

_PAIR = re.compile(f"{TAG}|{ATTRIBUTE}|{LINE}", re.MULTILINE)
_ROW = re.compile(r"<tr\b[^<>]*>", re.IGNORECASE)
_ROW_END = re.compile(r"</tr\b", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]\b", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|li|tr|p|div|h\d)\b[^<>]*>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")
_COLUMNS = re.compile(r"\s*[|;,\t]\s*|\s{2,}")
_A_PHRASE = 6  # letters: "in service" tells by itself, whatever stands before it; "up" or "1" does not
_MENTIONS = 64  # places that name the DN, each with what belongs to it: more tell nothing new, and cost time
_SUBTREE = 1024  # XML elements that are taken for one trunk's
_WORDS = 12  # of a text, on each side of the DN
_REACH = 400  # characters that are searched for these words


def trunk_state(page: str, dn: str, names: PageNames) -> Optional[bool]:
    """Whether the Trunk DN is in service, or None when the page does not tell."""
    for record in _records(page, dn, names):
        said = _status(record, names)
        if said is not None:
            return said
    return None


def _records(page: str, dn: str, names: PageNames) -> Iterator[Pairs]:
    yield from islice(_tables(page, dn, names), _MENTIONS)
    try:
        root = xml(page)
    except ElementTree.ParseError:
        yield from _slices(_text(page), dn, names)
        yield from islice(_lines(page, dn), _MENTIONS)
    else:
        yield from islice(_elements(root, dn, names), _MENTIONS)


def _status(record: Pairs, names: PageNames) -> Optional[bool]:
    """By the name of the status, by a name that says the opposite, or by a value that is a phrase of its own."""
    keyed = [(plain(name), value) for name, value in record]
    said = (_word(value, names) for value in _named(keyed, names.in_service))
    turned = (_turned(value, names) for value in _named(keyed, names.out_of_service))
    phrases = (_word(value, names) for _name, value in record if len(plain(value)) >= _A_PHRASE)
    return next((one for one in chain(said, turned, phrases) if one is not None), None)


def _named(keyed: Pairs, wanted: Sequence[str]) -> Iterator[str]:
    for name in map(plain, wanted):
        yield from (value for key, value in keyed if key == name)


def _turned(value: str, names: PageNames) -> Optional[bool]:
    """`outOfService: 1` is out of service; `outOfService: out of service` says the same, and is not turned round."""
    said = _word(value, names)
    return said if said is None or len(plain(value)) >= _A_PHRASE else not said


def _word(value: str, names: PageNames) -> Optional[bool]:
    """The word itself, or a text that begins with a phrase ("out of service since …")."""
    said = plain(value)
    for words, meaning in ((plains(names.no), False), (plains(names.yes), True)):
        if said in words or any(said.startswith(one) for one in words if len(one) >= _A_PHRASE):
            return meaning
    return None


def _elements(root: ElementTree.Element, dn: str, names: PageNames) -> Iterator[Pairs]:
    """What is in the element that the DN names, be it by its tag, an attribute, its text or a child."""
    for element in root.iter():
        own = [*element.attrib.items(), (local(element.tag), (element.text or "").strip() if len(element) else "")]
        if local(element.tag) == dn or _of(own, dn, names) is not None:
            yield _subtree(element, names)
        elif _of([_meant(child, names) for child in element], dn, names) is not None:
            yield from _slices(_subtree(element, names), dn, names)


def _subtree(element: ElementTree.Element, names: PageNames) -> Pairs:
    return [pair for one in islice(element.iter(), _SUBTREE) for pair in _pairs(one, names)]


def _pairs(element: ElementTree.Element, names: PageNames) -> Pairs:
    meant = _meant(element, names)
    plain_pair = meant[0] == local(element.tag)
    return [*element.attrib.items(), meant] if plain_pair else [meant]


def _meant(element: ElementTree.Element, names: PageNames) -> tuple[str, str]:
    """Tag and text; or, of `<item name="In Service" value="1"/>`, the pair that it means."""
    text = (element.text or "").strip()
    label = element.get("name") or element.get("key") or ""
    if label and plain(label) in plains((*names.trunk, *names.in_service, *names.out_of_service)):
        return label, element.get("value") or text
    return local(element.tag), text


def _tables(page: str, dn: str, names: PageNames) -> Iterator[Pairs]:
    """A row with the DN under a heading that names the columns."""
    heading: list[str] = []
    trunk, service = plains(names.trunk), plains((*names.in_service, *names.out_of_service))
    for cells in _rows(page):
        known = {plain(cell) for cell in cells}
        if known & trunk and known & service:
            heading = cells
        elif len(cells) == len(heading):
            record = list(zip(heading, cells))
            if _of(record, dn, names) is not None:
                yield record


def _rows(page: str) -> Iterator[list[str]]:
    for row in _ROW.split(page)[1:]:
        cells = _CELL.split(_ROW_END.split(row, 1)[0])[1:]
        yield [_MARKUP.sub(" ", _CELL_END.split(cell, 1)[0]).strip() for cell in cells]
    for line in page.splitlines():
        cells = _COLUMNS.split(line.strip().strip("|").strip())
        if len(cells) > 1:
            yield cells


def _text(page: str) -> Pairs:
    """Tags, attributes and lines of a text that is no XML, as they come."""
    return [
        (one["tag"] or one["attribute"] or one["name"], (one["text"] or one["quoted"] or one["value"] or "").strip())
        for one in _PAIR.finditer(page)
    ]


def _slices(pairs: Pairs, dn: str, names: PageNames) -> Iterator[Pairs]:
    """From the DN to the next DN; where it is the only one, all of it."""
    start = _of(pairs, dn, names)
    if start is None:
        return
    marks = [index for index, (name, _value) in enumerate(pairs) if plain(name) == plain(pairs[start][0])]
    following = [index for index in marks if index > start]
    yield pairs if len(marks) == 1 else pairs[start : following[0] if following else None]


def _of(pairs: Sequence[tuple[str, str]], dn: str, names: PageNames) -> Optional[int]:
    for index, (name, value) in enumerate(pairs):
        if value.strip() == dn and plain(name) in plains(names.trunk):
            return index
    return None


def _lines(page: str, dn: str) -> Iterator[Pairs]:
    """What stands around the DN in its line, in phrases parted as they may be."""
    mention = re.compile(rf"(?<![\w.-]){re.escape(dn)}(?![\w.-])")
    for line in _BREAK.sub("\n", page).splitlines():
        text = _MARKUP.sub(" ", line) if dn in line else ""
        for found in mention.finditer(text):
            before, after = _ends_whole(text[: found.start()]), _begins_whole(text[found.end() :])
            words = [word for word in (*before, *after) if word != dn]
            yield [("", " ".join(words[start:])) for start in range(len(words))]


def _ends_whole(text: str) -> list[str]:
    """The last words of a text, none of them cut."""
    words = text[-_REACH:].split()
    return words[1 if len(text) > _REACH else 0 :][-_WORDS:]


def _begins_whole(text: str) -> list[str]:
    """The first words of a text, none of them cut."""
    words = text[:_REACH].split()
    return words[: -1 if len(text) > _REACH else None][:_WORDS]
