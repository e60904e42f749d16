"""The store's filters as a playbook calls them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.filter.store_records import FilterModule

FILTERS = FilterModule().filters()


def test_a_list_of_results_is_merged() -> None:
    assert FILTERS["store_records"]([{}])["silent"] == 1


@pytest.mark.parametrize("wrong", [{"store": {}}, "text", 7])
def test_anything_but_a_list_is_refused(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match="expected a list"):
        FILTERS["store_records"](wrong)


def test_no_lock_is_free() -> None:
    assert FILTERS["lock_judgement"](None, {}, 0, 60)["state"] == "free"
