# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of continuity_check; the work is done by the action plugin of the same name."""

DOCUMENTATION = r"""
module: continuity_check
short_description: Judges the description of a two-site deployment before anything is touched
version_added: 0.1.0
description:
  - Reads the C(continuity_*) variables on the controller and refuses what cannot be right - unknown keys, wrong types,
    hosts that are not in the inventory or stand in the wrong network, overlapping networks, addresses and numbers that
    two things claim, a phone without a second server, an undeclared lack of a witness, a policy out of range.
  - All problems are said at once, each with its path in the inventory, what was expected and what was found.
  - Nothing is connected to and nothing is changed.
options:
  continuity:
    description:
      - The C(continuity_*) variables by their full names.
      - Left out, they are taken from the variables of the host that the task runs for.
    type: dict
  failed_site:
    description: The site that a failover is about; it must be one of the two.
    type: str
requirements:
  - netaddr (on the controller)
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: There is nothing to compare.
  action:
    support: full
    description: Runs on the controller as an action plugin.
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Refuse what cannot be right, before anything is touched
  contactcenter.sip_dr.continuity_check:
    failed_site: "{{ continuity_failed_site | default(omit, true) }}"
  register: checked
"""

RETURN = r"""
continuity:
  description: The C(continuity_*) variables by their full names, with every default filled in.
  returned: success
  type: dict
observers:
  description: Every host that looks - vantage hosts of both sites, the witness, the gateways.
  returned: success
  type: list
  elements: str
coordination_hosts:
  description: The hosts that hold the coordination store.
  returned: success
  type: list
  elements: str
plan_hosts:
  description: Every host that a step of a site failure may act on, whichever site fails.
  returned: success
  type: list
  elements: str
gateways_elsewhere:
  description: The media gateways on which no module runs; nothing is kept at them.
  returned: success
  type: list
  elements: str
problems:
  description: Everything that is wrong, empty on success.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where it stands in the inventory.
      type: str
      sample: continuity_sites.site1.networks[0]
    expected:
      description: What belongs there.
      type: str
    found:
      description: What stands there.
      type: str
"""
