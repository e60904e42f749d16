# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that puts both ends' views of the inter-site trunk beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import trunks


def trunk_matrix(seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Both directions; see `trunks.matrix`. Anything but two sites is a named error."""
    try:
        return trunks.matrix(seen)
    except ValueError as error:
        raise AnsibleFilterError(f"trunk_matrix: {error}") from error


class FilterModule:
    """The filter of the trunk."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"trunk_matrix": trunk_matrix}
