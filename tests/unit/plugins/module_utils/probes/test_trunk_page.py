"""Every shape in which a monitoring page may tell of its trunks: fixtures/trunk_pages.

Each fixture has trunk_site2 in service, trunk_site1 out of service, and tells nothing of trunk_pstn's state.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.trunk_page import trunk_state
from hypothesis import given
from hypothesis import strategies as st

PAGES = sorted((Path(__file__).parent / "fixtures/trunk_pages").iterdir())
NAMES = PageNames()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize(
    ("dn", "state"),
    [("trunk_site2", True), ("trunk_site1", False), ("trunk_pstn", None), ("trunk_site", None), ("site2", None)],
)
def test_each_trunk_by_its_own_word(page, dn, state):
    assert trunk_state(page.read_text(), dn, NAMES) is state


def test_there_are_fixtures_of_every_kind():
    assert {page.suffix for page in PAGES} == {".xml", ".html", ".txt"}
    assert len(PAGES) >= 12


@pytest.mark.parametrize(
    "word", ["0", "No", "OOS", "oos", "down", "Out of Service", "out-of-service", "NOT IN SERVICE"]
)
def test_words_for_out_of_service(word):
    assert trunk_state(f"<t><dn>x</dn><inService>{word}</inService></t>", "x", NAMES) is False


@pytest.mark.parametrize("word", ["", "2", "-", "unknown", "upgrading", "service"])
def test_a_word_that_is_not_known_tells_nothing(word):
    assert trunk_state(f"<t><dn>x</dn><inService>{word}</inService></t>", "x", NAMES) is None


@pytest.mark.parametrize(
    "page",
    [
        "<s><inService>1</inService><trunks><trunk><dn>x</dn></trunk></trunks></s>",
        "<s><trunks><trunk><dn>x</dn></trunk></trunks><inService>1</inService></s>",
        "<s><trunk><dn>y</dn><inService>1</inService></trunk><trunk><dn>x</dn></trunk></s>",
        "DN: y\nIn Service: 1\nDN: x\nCalls: 1\n",
        "The SIP Server is in service.\nx has 3 calls\n",
        "a line about xx: in service",
        "<html><tr><td>DN</td><td>In Service</td></tr><tr><td>x</td></tr>",
    ],
)
def test_what_is_said_of_somebody_else_is_not_taken(page):
    assert trunk_state(page, "x", NAMES) is None


def test_the_name_of_the_status_counts_before_a_phrase_elsewhere():
    page = "<t><dn>x</dn><note>out of service planned for May</note><inService>1</inService></t>"
    assert trunk_state(page, "x", NAMES) is True


def test_names_can_be_corrected():
    names = PageNames(trunk=("leitung",), in_service=("betrieb",), yes=("ja",), no=("nein",))
    assert trunk_state("<t><Leitung>x</Leitung><Betrieb>Nein</Betrieb></t>", "x", names) is False
    assert trunk_state("<t><Leitung>x</Leitung><Betrieb>Ja</Betrieb></t>", "x", names) is True
    assert trunk_state("<t><dn>x</dn><inService>1</inService></t>", "x", names) is None


def test_a_phrase_under_a_name_that_says_the_opposite_is_not_turned_round():
    assert trunk_state("<t><dn>x</dn><oos>out of service</oos></t>", "x", NAMES) is False
    assert trunk_state("<t><dn>x</dn><oos>maybe</oos></t>", "x", NAMES) is None


PIECES = st.sampled_from(
    [
        "<t>",
        "</t>",
        "<dn>x</dn>",
        "dn='x'",
        "DN: x\n",
        "<inService>1</inService>",
        "0",
        "\n",
        "|",
        "<tr>",
        "</tr>",
        "<td>",
        "&",
        "\0",
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_no_page_is_too_strange(page):
    assert trunk_state(page, "x", NAMES) in (True, False, None)
