# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal: what a module says when a guard does not let it act (experience.md: guard, evidence, way round)."""

from __future__ import annotations


class RefusedError(Exception):
    """The module may not act; `refusal` has the guard, the evidence that it lacks, and the way round."""

    def __init__(self, guard: str, evidence: str, way: str) -> None:
        """Keep the three parts; the message is all of them in a sentence."""
        self.refusal = {"guard": guard, "evidence": evidence, "way": way}
        super().__init__(f"{guard}: {evidence}. {way}")
