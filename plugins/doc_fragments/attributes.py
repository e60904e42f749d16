# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that every module states; the support levels are stated by each module itself."""

from __future__ import annotations


class ModuleDocFragment:
    """Descriptions of the attributes check_mode and diff_mode."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Says what it would change, and changes nothing.
  diff_mode:
    description: Returns what is changed, before and after.
"""
