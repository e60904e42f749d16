# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timers of every module that sends SIP requests."""

from __future__ import annotations


class ModuleDocFragment:
    """Options `sip_t1`, `sip_tries`, `probe_deadline`; their argument specification is SIP_TIMERS in sip/timers.py."""

    DOCUMENTATION = r"""
options:
  sip_t1:
    description:
      - Seconds from the first sending of a request over UDP to the second (RFC 3261 17.1.2.2).
      - Each further interval is twice as long, up to 4 seconds.
    type: float
    default: 0.2
  sip_tries:
    description: How often a request is sent over UDP at most. Fewer than 6 err at 5 % loss.
    type: int
    default: 6
  probe_deadline:
    description: Seconds after which a request without a final answer has failed.
    type: float
    default: 8.0
"""
