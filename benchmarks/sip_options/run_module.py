# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module sip_options as Ansible does on a host: arguments as JSON (here on stdin), a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "collections"))

from ansible.module_utils import basic  # noqa: E402 - the path above comes first
from ansible_collections.contactcenter.sip_dr.plugins.modules import sip_options  # noqa: E402 - likewise

basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
sip_options.main()
