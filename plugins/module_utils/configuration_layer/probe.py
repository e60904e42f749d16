# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that configuration can be written: one option of one Application, written and read again."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    ConfigurationLayer,
    LayerError,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.change import (
    LostRaceError,
    change,
)


class Probe(NamedTuple):
    """Which option of which Application is written to prove that configuration can be written."""

    application: str
    section: str
    option: str
    marker: str


def verify_writes(layer: ConfigurationLayer, probe: Probe, dry: bool) -> str:
    """Log in, read the Application whole, change one option, write it back, read it again. Raises LayerError.

    With `dry`, only what does not write. Returns what was seen, in words.
    """
    layer.log_in()
    name = f"{probe.application}: [{probe.section}] {probe.option}"
    wanted = {(probe.section, probe.option): probe.marker}
    try:
        change(layer, Target(APPLICATION, probe.application), wanted, dry=dry)
    except LostRaceError as error:
        # Two that verify at once: the next try finds it quiet.
        raise LayerError(str(error)) from error
    if dry:
        return f"{name} can be read; check mode writes nothing"
    return f"{name} was written and reads {probe.marker!r}"
