# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that changes something in a run."""

from __future__ import annotations


class ModuleDocFragment:
    """Options `run` and `state_dir`; their argument specification is RUN_OPTION in module_utils/run_journal.py."""

    DOCUMENTATION = r"""
options:
  run:
    description:
      - The run and the step that this call belongs to.
      - The host refuses a token that is older than the newest it has seen.
      - It journals the begin before it changes anything, and the end.
      - Without it, nothing is journalled and no token is compared.
    type: dict
    suboptions:
      id:
        description: Name of the run.
        type: str
        required: true
      token:
        description: The run's fencing token; a newer run has a higher one.
        type: int
        required: true
      step:
        description: Name of the step in the run's plan.
        type: str
        required: true
  state_dir:
    description: Directory on the host for the journal, the token, and what stood before the first change.
    type: path
    default: /var/lib/sip-dr
"""
