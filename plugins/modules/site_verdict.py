#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of site_verdict; the work is done by the action plugin of the same name."""

DOCUMENTATION = r"""
module: site_verdict
short_description: Decides from an observation which of two sites has failed, and what that unlocks
version_added: 0.1.0
description:
  - Turns one observation of two SIP Server sites into a verdict with its evidence - which site is down, cut off,
    degraded or well, what may be done automatically, what a person may do, what is forbidden, which guards are not met.
  - A pure function of its options. It looks at nothing, changes nothing, and gives the same answer for the same input,
    so that a bundle of the past can be judged again.
  - It runs on the controller, whatever host the task is for; no module is sent anywhere.
options:
  observation:
    description:
      - The bundle - C(taken_at), C(observer), C(ticket), C(sites) with exactly two members, C(events), C(overrides).
      - A signal is V(up), V(down) or V(unknown), or a mapping with C(value), C(at) and C(answered). What is left out,
        or older than the policy's C(fresh), is unknown.
    type: dict
    required: true
  policy:
    description:
      - Keys of the policy that differ from their defaults. An unknown key or a value out of range is refused.
    type: dict
  state:
    description:
      - What the last call returned as RV(state), or V({}) for the first observation. Time is folded in then - a verdict
        must last before it stands, and actions that change something may become automatic.
      - Left out, the one bundle is judged without memory, and nothing that changes anything is automatic.
    type: dict
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing in either mode.
  diff_mode:
    support: none
    details: There is nothing to compare.
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Judge one bundle
  contactcenter.sip_dr.site_verdict:
    observation: "{{ bundle }}"
  register: judged

- name: Judge the next bundle with what is remembered of the earlier ones
  contactcenter.sip_dr.site_verdict:
    observation: "{{ bundle }}"
    policy:
      call_plane: auto
      confirm: 20
    state: "{{ judged_before.state | default({}) }}"
  register: judged
"""

RETURN = r"""
decision:
  description: The decision.
  returned: success
  type: dict
  contains:
    verdict:
      description: The verdict.
      type: str
      sample: SITE_DOWN
    site:
      description: The site that it is about, or null.
      type: str
      sample: site1
    scope:
      description: How far a RETURNING site was failed over, V(call) or V(config); else null.
      type: str
    states:
      description: The state of each site.
      type: dict
      sample: {site1: DOWN, site2: SERVING}
    evidence:
      description: Sentences with the signals and numbers that the verdict rests on.
      type: list
      elements: str
      sample: ["SITE_DOWN site1: peer 0/2 down, witness 0/2 down, gateways down; nothing from inside; site2 is fit."]
    automatic:
      description: Actions that may be done without a person.
      type: list
      elements: str
      sample: [verify_call_plane, notify]
    operator:
      description: Actions that a person may order.
      type: list
      elements: str
      sample: [prefer_survivor, fence, promote_config]
    two_people:
      description: Those of RV(decision.operator) that take two different people.
      type: list
      elements: str
    forbidden:
      description: Actions that nobody may do now.
      type: list
      elements: str
    targets:
      description: For an action that is done elsewhere than at RV(decision.site), the sites where.
      type: dict
      sample: {freeze_config: [site2]}
    unmet:
      description: Why not a stronger verdict or action, guard by guard.
      type: list
      elements: dict
      contains:
        guard:
          description: The guard's name.
          type: str
          sample: hold
        text:
          description: What it asks for, and what was seen.
          type: str
        actions:
          description: The actions that it holds back; empty for a guard of the verdict itself.
          type: list
          elements: str
    settled:
      description: Whether the verdict has lasted as long as it must; only with O(state).
      type: bool
    raw:
      description: The verdict of this one observation; only with O(state).
      type: str
    raw_site:
      description: The site of RV(decision.raw), or null; only with O(state).
      type: str
    since:
      description: Since when RV(decision.raw) has stood without interruption; only with O(state).
      type: str
      sample: "2026-01-31T03:14:15Z"
    remaining:
      description: Seconds left of each clock that runs; only with O(state).
      type: dict
      sample: {hold: 120.0}
state:
  description: What to hand in with the next observation; null when O(state) was left out.
  returned: success
  type: dict
series:
  description:
    - What a replay of this decision needs, as the entries of a saved series - policy and state from before, then
      observation and decision. The entries of successive decisions may follow each other in one series.
  returned: success; empty when O(state) was left out
  type: list
  elements: dict
path:
  description: Where a malformed value stands.
  returned: failure
  type: str
  sample: policy.fresh
expected:
  description: What belongs there.
  returned: failure
  type: str
"""
