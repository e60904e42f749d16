# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out an ansible-runner private data directory exactly as AWX 24.6.1 does for a job, and runs the job.

Source of the layout: AWX `awx/main/tasks/jobs.py` (project copied with links kept and `.git` left out, inventory as an
executable script with `remote_tower_id`, extra vars with `awx_`/`tower_` meta variables, a credential's variables in a
file of their own, `ansible.cfg`'s collections_path prepended); of the events: AWX `awx/main/models/events.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_runner.interface import run as run_job
from ansible_runner.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
NOT_CLONED = (".git", ".venv*", ".cache", ".*_cache", ".hypothesis", ".ansible", "__pycache__", "runs", "dist")
"""What a clone of the project does not have."""
META = {
    "job_id": 1,
    "job_launch_type": "manual",
    "job_template_id": 1,
    "job_template_name": "sip-dr",
    "inventory_id": 1,
    "inventory_name": "sip-dr",
    "project_revision": "0" * 40,
    "user_id": 1,
    "user_name": "admin",
}
JOB_TIMEOUT = 600
"""Seconds; a job that prompts waits until then and ends as `timeout`."""
EVENT_LEVELS = {
    "playbook_on_start": 0,
    "debug": 0,
    "verbose": 0,
    "deprecated": 0,
    "warning": 0,
    "system_warning": 0,
    "error": 0,
    "playbook_on_play_start": 1,
    "playbook_on_stats": 1,
    "playbook_on_vars_prompt": 1,
    "playbook_on_notify": 2,
    "playbook_on_include": 2,
    "playbook_on_no_hosts_matched": 2,
    "playbook_on_no_hosts_remaining": 2,
    "playbook_on_task_start": 2,
    "runner_on_failed": 3,
    "runner_on_start": 3,
    "runner_on_ok": 3,
    "runner_on_error": 3,
    "runner_on_skipped": 3,
    "runner_on_unreachable": 3,
    "runner_on_no_hosts": 3,
    "runner_on_async_poll": 3,
    "runner_on_async_ok": 3,
    "runner_on_async_failed": 3,
    "runner_item_on_ok": 3,
    "runner_item_on_failed": 3,
    "runner_item_on_skipped": 3,
    "runner_retry": 3,
    "runner_on_file_diff": 3,
}
"""AWX's EVENT_TYPES with their levels; an event of another type is dropped by AWX."""


@dataclass(frozen=True)
class Job:
    """A job that has ended: what AWX keeps of it."""

    runner: Runner

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """All events in their order."""
        return sorted(self.runner.events, key=lambda event: int(event["counter"]))

    @property
    def ended(self) -> tuple[str, int]:
        """Status and exit code."""
        return self.runner.status, self.runner.rc

    @cached_property
    def artifacts(self) -> dict[str, Any]:
        """What `set_stats` hands to the next workflow node; AssertionError when the run has no last event."""
        stats = [event for event in self.events if event["event"] == "playbook_on_stats"]
        assert len(stats) == 1, "the run ended without its last event"
        return dict(stats[0]["event_data"].get("artifact_data", {}))

    @cached_property
    def stdout(self) -> str:
        """What AWX shows."""
        return "".join(f"{event['stdout']}\n" for event in self.events if event["stdout"])


def inventory_of(source: Path) -> dict[str, Any]:
    """The inventory as AWX stores it from an scm source, with an id for every host.

    AWX asks `ansible-inventory --list --export`: group variables stay with their groups.
    """
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(source), "--list", "--export"]
    listed: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    )
    listed["_meta"] = {"hostvars": listed["_meta"]["hostvars"]}
    named = {host for group in listed.values() for host in group.get("hosts", ())}
    for number, host in enumerate(sorted(named), start=1):
        listed["_meta"]["hostvars"].setdefault(host, {})["remote_tower_id"] = number
    return listed


def make(
    directory: Path,
    inventory: dict[str, Any],
    extra_vars: dict[str, Any],
    credential_vars: dict[str, str] | None = None,
) -> Path:
    """A fresh private data directory; nothing of an earlier job is in it."""
    shutil.copytree(ROOT, directory / "project", symlinks=True, ignore=shutil.ignore_patterns(*NOT_CLONED))
    for name in ("inventory", "env", "requirements_collections", "cp"):
        (directory / name).mkdir(mode=0o700)
    _write(directory / "inventory/hosts", f"#!/usr/bin/env python3\nprint({json.dumps(inventory)!r})\n", 0o700)
    meta = {f"{prefix}_{key}": value for prefix in ("awx", "tower") for key, value in META.items()}
    _write(directory / "env/extravars", json.dumps(extra_vars | meta))
    _write(directory / "env/credential", json.dumps(credential_vars or {}))
    _write(directory / "env/cmdline", f"-u root --forks=50 -e @{directory}/env/credential")
    _write(directory / "env/settings", json.dumps({"idle_timeout": 0, "job_timeout": JOB_TIMEOUT}))
    return directory


def run(directory: Path, playbook: str) -> Job:
    """Runs a job template's playbook as AWX's job runner does."""
    runner = run_job(
        private_data_dir=str(directory),
        project_dir=str(directory / "project"),
        playbook=playbook,
        envvars=_environment(directory),
        quiet=True,
    )
    return Job(runner)


def _environment(directory: Path) -> dict[str, str]:
    others = "collections:~/.ansible/collections:/usr/share/ansible/collections"
    return {
        "ANSIBLE_COLLECTIONS_PATH": f"{directory}/requirements_collections:{others}",
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{directory}/cp",
        "AWX_HOST": "https://awx.example.com",
        "AWX_PRIVATE_DATA_DIR": str(directory),
        "INVENTORY_ID": "1",
        "JOB_ID": "1",
        "MAX_EVENT_RES": "700000",
        "PROJECT_REVISION": str(META["project_revision"]),
        "HOME": os.environ["HOME"],
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)
