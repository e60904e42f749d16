# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `master`: does a master Configuration Server run here?

Parameters: address, port, database_address, database_port. An open port proves nothing (proxies listen too, and so
does a server whose database is gone): up needs a session of the Configuration Server's role on a database that is no
standby. Without database_address only a closed port can be told: for a place from where no database is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import tcp
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.postgresql import DatabaseView, look_at


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up, down, or unknown when the port is open and the database could not be asked."""
    port = tcp.look({"address": check["address"], "port": check["port"]}, settings)
    if port["value"] != "up":
        return {**port, "detail": f"port {check['port']}: {port['detail']}"}
    if "database_address" not in check:
        return answer("unknown", True, "port open, no database is asked from here")
    return judge(look_at(check, settings.database, settings.connect_timeout, settings.probe_deadline))


def judge(view: DatabaseView) -> Answer:
    """What the database says about a Configuration Server whose port is open. answered is true: its port did."""
    if view.nobody:
        return answer("down", True, f"its database: {view.detail}")
    if view.role == "unknown":
        return answer("unknown", True, f"port open, its database could not be asked: {view.detail}")
    if view.role == "standby":
        return answer("down", True, f"its database is read-only: {view.detail}")
    return answer("up" if view.sessions else "down", True, f"its database: {view.detail}")
