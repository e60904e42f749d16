# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of every module that looks over TLS; documented in doc_fragments/sip_tls.py."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Tls

SIP_TLS: Dict[str, Any] = {
    "sip_tls": {
        "type": "dict",
        "default": {},
        "options": {
            "ca_file": {"type": "path"},
            "certificate": {"type": "path"},
            "key": {"type": "path", "no_log": False},
        },
        "required_by": {"key": "certificate"},
    },
}
"""The argument specification."""


def tls_of(given: Optional[Mapping[str, Any]]) -> Tls:
    """The settings that a dict option holds; what is left out, or none, keeps its default."""
    return Tls(**{key: value for key, value in (given or {}).items() if value is not None})
