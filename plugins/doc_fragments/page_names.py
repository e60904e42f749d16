# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option by which the names on SIP Server's monitoring page are corrected."""

from __future__ import annotations


class ModuleDocFragment:
    """Option `page_names`; its argument specification is PAGE_NAMES_OPTION in module_utils/probes/page.py."""

    DOCUMENTATION = r"""
options:
  page_names:
    description:
      - Names and words of the monitoring page.
      - The names of its elements are in no document that we could read; the defaults are a guess.
      - Compared without case, blanks, dots, hyphens and underscores. What is left out keeps its default.
    type: dict
    default: {}
    suboptions:
      run_mode:
        description: Names of the element with the run mode.
        type: list
        elements: str
      primary:
        description: Words that mean primary.
        type: list
        elements: str
      backup:
        description: Words that mean backup.
        type: list
        elements: str
      trunk:
        description: Names of the element with a trunk's DN.
        type: list
        elements: str
      in_service:
        description: Names of the element that says whether a trunk is in service.
        type: list
        elements: str
      out_of_service:
        description: Names of the element that says whether a trunk is out of service.
        type: list
        elements: str
      calls:
        description: Names of the element with the number of calls that run now.
        type: list
        elements: str
      peer_trunk:
        description: Names of the element with the option C(dr-peer-trunk) in force.
        type: list
        elements: str
      'yes':
        description: Words that mean in service; under O(page_names.out_of_service), out of service.
        type: list
        elements: str
      'no':
        description: Words that mean out of service; under O(page_names.out_of_service), in service.
        type: list
        elements: str
"""
