"""Lays out an ansible-runner private data directory exactly as AWX 24.6.1 does for a job.

Source of the layout: AWX `awx/main/tasks/jobs.py` (project copied with links kept and `.git` left out, inventory as an
executable script with `remote_tower_id`, extra vars with `awx_`/`tower_` meta variables, `ansible.cfg`'s collections_path prepended).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import ansible_runner

ROOT = Path(__file__).resolve().parents[2]
NOT_IN_A_PROJECT = (
    ".git",
    ".venv",
    ".venv-floor",
    ".cache",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".ansible",
    "runs",
)
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


def inventory_of(source: Path) -> dict[str, Any]:
    """The inventory as AWX stores it: what `ansible-inventory --list` says, with an id for every host."""
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(source), "--list"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    for number, host in enumerate(sorted(listed["_meta"]["hostvars"]), start=1):
        listed["_meta"]["hostvars"][host]["remote_tower_id"] = number
    return listed


def make(directory: Path, inventory: dict[str, Any], extra_vars: dict[str, Any], check: bool = False) -> Path:
    """A fresh private data directory; nothing of an earlier job is in it."""
    shutil.copytree(ROOT, directory / "project", symlinks=True, ignore=shutil.ignore_patterns(*NOT_IN_A_PROJECT))
    for name in ("inventory", "env", "requirements_collections"):
        (directory / name).mkdir()
    script = directory / "inventory" / "hosts"
    script.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(json.dumps(inventory))})\n")
    script.chmod(0o700)
    meta = {f"{prefix}_{key}": value for prefix in ("awx", "tower") for key, value in META.items()}
    (directory / "env" / "extravars").write_text(json.dumps(extra_vars | meta))
    arguments = ["-u", "root", "--forks=50", *(["--check", "--diff"] if check else [])]
    (directory / "env" / "cmdline").write_text(" ".join(arguments))
    (directory / "env" / "settings").write_text(json.dumps({"idle_timeout": 0, "job_timeout": 600}))
    return directory


def run(directory: Path, playbook: str) -> ansible_runner.Runner:
    """Runs a job template's playbook as AWX's job runner does."""
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": f"{directory}/requirements_collections:collections:~/.ansible/collections:/usr/share/ansible/collections",
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "AWX_HOST": "https://awx.example.com",
        "AWX_PRIVATE_DATA_DIR": str(directory),
        "INVENTORY_ID": "1",
        "JOB_ID": "1",
        "MAX_EVENT_RES": "700000",
        "PROJECT_REVISION": META["project_revision"],
        "HOME": os.environ["HOME"],
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return ansible_runner.run(
        private_data_dir=str(directory),
        project_dir=str(directory / "project"),
        playbook=playbook,
        envvars=environment,
        quiet=True,
    )


def artifacts(runner: ansible_runner.Runner) -> dict[str, Any]:
    """What `set_stats` hands to the next workflow node."""
    for event in runner.events:
        if event["event"] == "playbook_on_stats":
            return event["event_data"].get("artifact_data", {})
    raise AssertionError("the run ended without its last event")
