# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of site_watch; the work is done by the action plugin of the same name."""

DOCUMENTATION = r"""
module: site_watch
short_description: Looks at two sites from many hosts and decides, again and again until a time is over
version_added: 0.1.0
description:
  - For one task of a play over all hosts that look, and one that decides. Each host runs
    M(contactcenter.sip_dr.site_probe) again and again at its own pace, so that one that waits for silence holds up no
    other; test calls and what asks a database are asked apart, a third as often. The host that decides folds what they
    find as M(contactcenter.sip_dr.site_verdict) does, and says each change of the verdict when it happens.
  - It goes on from what the coordination store remembers, and keeps there what would be lost with the controller,
    whenever that changes, twice in each C(schedule_gap), and at the end.
  - Nobody is waited for longer than C(fresh) before the first decision, a call that never returns holds up no other
    host, and what fails on the controller (a full disk for one) is told once and tried again.
  - An observation that says nothing new is judged every 5 seconds, or every second while a clock of the decision runs.
  - While no store can be read, observations say so (no automatic failover then), and nothing is kept there; what the
    store remembers takes over as soon as it is read, and what it said last stays known when it falls silent.
  - The task holds one worker for each host until the time is over, so there must be as many forks as hosts in the play.
  - Looks only; nothing of the deployment changes.
options:
  continuity:
    description: The checked deployment data, as M(contactcenter.sip_dr.continuity_check) returns it.
    type: dict
    required: true
  policy:
    description: The deployment's policy; what is left out has its default.
    type: dict
    default: {}
  probe:
    description: Options of M(contactcenter.sip_dr.site_probe) on this host, its timers apart, which the policy brings.
    type: dict
    default: {}
  attestations:
    description: Two people say of a site, by its name, that it is down, until when.
    type: dict
    default: {}
  decide:
    description: Whether this host decides instead of looking. One host of the play does.
    type: bool
    default: false
  seconds:
    description: Seconds until the watch ends.
    type: float
    required: true
  interval:
    description: Seconds from the begin of a look to the begin of the next one, or more where the look takes longer.
    type: float
    default: 1.0
  directory:
    description:
      - Directory on the controller. C(observations.jsonl) there gets each judged observation with its decision as a
        line, C(verdict.json) holds the last decision. Left out, nothing is written.
      - At 64 MiB C(observations.jsonl) becomes C(observations-1.jsonl), in place of the one before, and begins anew.
    type: path
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
attributes:
  check_mode:
    support: full
    details: In check mode nothing is kept in the coordination store.
  diff_mode:
    support: none
    details: There is nothing to compare.
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Look and decide for an hour
  contactcenter.sip_dr.site_watch:
    continuity: "{{ hostvars['localhost'].checked.continuity }}"
    probe:
      checks: "{{ hostvars['localhost'].checked.continuity | contactcenter.sip_dr.probe_checks(inventory_hostname) }}"
    decide: "{{ inventory_hostname == 'localhost' }}"
    seconds: 3600
    directory: /var/log/sip-dr
  register: watched
"""

RETURN = r"""
decision:
  description: The last decision, as M(contactcenter.sip_dr.site_verdict) returns it; null when nothing was judged.
  returned: O(decide=true)
  type: dict
state:
  description: What the next decision is to be handed.
  returned: O(decide=true)
  type: dict
verdicts:
  description: Each change of the verdict.
  returned: O(decide=true)
  type: list
  elements: dict
  contains:
    at:
      description: When the observation was taken.
      type: str
      sample: "2026-01-31T03:14:15.000000Z"
    verdict:
      description: The verdict.
      type: str
      sample: SITE_DOWN
    site:
      description: The site that it is about, or null.
      type: str
    sentence:
      description: The first sentence of its evidence.
      type: str
calls:
  description: How often this host was called upon to look, each time for some seconds.
  returned: O(decide=false)
  type: int
answered:
  description: How often it could be reached for that.
  returned: O(decide=false)
  type: int
"""
