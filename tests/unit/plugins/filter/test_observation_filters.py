"""The filters of the observation as a template uses them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.filter.observation import FilterModule

FILTERS = FilterModule().filters()


def test_filters_by_name():
    assert set(FILTERS) == {
        "probe_checks",
        "to_observation",
        "probed_runs",
        "probed_prefers",
        "probed_stores",
        "pulled_state",
        "may_be_remembered",
        "different_people",
    }


@pytest.mark.parametrize("arguments", [("probe_checks", {}, "host"), ("to_observation", {}, {}, {})])
def test_a_missing_key_is_named(arguments):
    name, *rest = arguments
    with pytest.raises(AnsibleFilterError, match=r"continuity_\w+.* is missing"):
        FILTERS[name](*rest)
