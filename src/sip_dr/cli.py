# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the same playbooks through ansible-runner, with a line for each step while it happens.

    sip-dr status   -i INVENTORY                 health_check
    sip-dr plan     -i INVENTORY --site SITE     failover --check --diff
    sip-dr failover -i INVENTORY --site SITE [--attest NAME --attest NAME] [--allow-data-loss RUN]
    sip-dr move     -i INVENTORY --to SITE       move_master: the configuration alone, planned or to end NO_MASTER
    sip-dr report   -i INVENTORY [--run RUN]     report
    sip-dr replay RUN | why [RUN] | backtest FOLDER [--policy FILE]     of what was saved; no host is asked (saved.py)

It adds comfort, no power: everything works from ansible-playbook alone. Exit codes: EXIT_CODES.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_runner.interface import run

from sip_dr.progress import Progress
from sip_dr.saved import DIFFERS, add_commands, judged

EXIT_CODES = {
    "as wished": 0,
    "the tool itself failed, or was called wrongly": 1,
    "a host was lost outside of observing": 4,
    "the verdict asks for attention: BLIND_SPOT, DEGRADED, SUSPECT": 10,
    "the verdict is any other than NORMAL": 20,
    "refused; what was printed names the guard and the way round": 30,
    "a step failed; run it again, it resumes": 31,
    "replay: a saved decision comes out differently": DIFFERS,
}
ATTENTION = ("BLIND_SPOT", "DEGRADED", "SUSPECT")
PLAYBOOKS = {
    "status": "health_check",
    "plan": "failover",
    "failover": "failover",
    "move": "move_master",
    "report": "report",
}
# The settings of ansible.cfg in the tree, for a run from any other folder.
SETTINGS = {
    "ANSIBLE_FORKS": "50",
    "ANSIBLE_TIMEOUT": "3",
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_INJECT_FACT_VARS": "False",
    "ANSIBLE_HOST_PATTERN_MISMATCH": "ignore",
}


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    root = argparse.ArgumentParser(prog="sip-dr", description="Failover of a two-site contact centre.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "status": "observe and decide; exit code 0 only for NORMAL",
        "plan": "what a failover would do; nothing is touched",
        "failover": "save the calls, then move the configuration as far as its guards allow",
        "move": "move the configuration to a site, while nothing has failed or nobody is the master",
        "report": "print the last run's report",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("-i", "--inventory", required=True, help="inventory, as for ansible-playbook")
        command.add_argument("-e", "--extra-vars", action="append", default=[], help="as for ansible-playbook")
        if PLAYBOOKS[name] == "failover":
            command.add_argument("--site", required=True, help="the failed site")
        if name == "move":
            command.add_argument("--to", required=True, help="the site that shall be written to")
        if PLAYBOOKS[name] in ("failover", "move_master"):
            _add_words_of_people(command)
        if name == "report":
            command.add_argument("--run", default="", help="a run id; the last run without it")
    add_commands(commands)
    return root


def _add_words_of_people(command: argparse.ArgumentParser) -> None:
    command.add_argument("--attest", action="append", default=[], metavar="NAME", help="who has seen it; give two")
    command.add_argument("--allow-data-loss", default="", metavar="RUN", help="the run id that the refusal printed")


def variables(options: argparse.Namespace) -> dict[str, str]:
    """The extra variables that the options stand for; what is empty is left out."""
    first, second = [*getattr(options, "attest", []), "", ""][:2]
    given = {
        "continuity_failed_site": getattr(options, "site", ""),
        "continuity_to_site": getattr(options, "to", ""),
        "continuity_first_attester": first,
        "continuity_second_attester": second,
        "continuity_allow_data_loss": getattr(options, "allow_data_loss", ""),
        "continuity_run_id": getattr(options, "run", ""),
    }
    return {name: value for name, value in given.items() if value}


def command_line(options: argparse.Namespace) -> str:
    """What ansible-playbook gets beside playbook, inventory and variables."""
    words = [word for each in options.extra_vars for word in ("-e", each)]
    return shlex.join(["--check", "--diff", *words] if options.command == "plan" else words)


def exit_code(command: str, rc: int, artifacts: Mapping[str, Any]) -> int:
    """The exit code for what a playbook returned and handed on; see EXIT_CODES."""
    verdict = (artifacts.get("continuity_verdict") or {}).get("verdict")
    if rc in (0, 4):
        return rc
    if command == "status" and verdict:
        return 10 if verdict in ATTENTION else 20
    if artifacts.get("continuity_refused"):
        return 30
    return 31 if artifacts.get("continuity_status") == "open" else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(argv)
    if options.command not in PLAYBOOKS:
        return judged(options)
    progress = Progress(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="sip-dr-") as directory:
        ended = run(
            private_data_dir=directory,
            project_dir=str(Path.cwd()),
            playbook=f"contactcenter.sip_dr.{PLAYBOOKS[options.command]}",
            inventory=str(Path(options.inventory).resolve()),
            extravars=variables(options),
            cmdline=command_line(options),
            envvars=SETTINGS | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            quiet=True,
            event_handler=progress,
        )
    progress.finish()
    return exit_code(options.command, ended.rc, progress.artifacts)


if __name__ == "__main__":
    sys.exit(main())
