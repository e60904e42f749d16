# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of ``lab/lab``: which words there are, and which action each one is."""

from __future__ import annotations

import argparse
import os
import sys

from two_site_lab import actions, beginning, requirements
from two_site_lab.errors import LabError
from two_site_lab.faults import DEFAULT_SECONDS
from two_site_lab.lab import DEFAULT_ID, Lab
from two_site_lab.progress import say

EPILOG = "Ends of a link are zones (site1 site2 carrier centre witness control, or all), hosts, site1-sip or site2-sip."
EPILOG += f" Every fault but a killed host ends by itself, after --for SECONDS or else {DEFAULT_SECONDS} s."


class _Words:
    """Adds commands to the parser, each with what most of them share."""

    def __init__(self, root: argparse.ArgumentParser) -> None:
        self._commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(self, word: str, action: actions.Action, text: str, *positional: str) -> argparse.ArgumentParser:
        command = self._commands.add_parser(word, help=text, description=text)
        command.set_defaults(action=action)
        command.add_argument("--id", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        for name in positional:
            command.add_argument(name.strip("?"), nargs="?" if name.endswith("?") else None, default="")
        return command

    def add_fault(self, word: str, action: actions.Action, text: str, *positional: str) -> argparse.ArgumentParser:
        command = self.add(word, action, text, *positional)
        command.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="when it ends by itself")
        return command

    def add_rest(self, word: str, action: actions.Action, text: str, *positional: str) -> None:
        self.add(word, action, text, *positional).add_argument("words", nargs=argparse.REMAINDER)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; ``action`` of its answer is what to do."""
    root = argparse.ArgumentParser(prog="lab/lab", description="The two-site lab.", epilog=EPILOG)
    root.add_argument("--id", default=os.environ.get("SIP_DR_LAB", DEFAULT_ID), help="which lab (SIP_DR_LAB; dr)")
    words = _Words(root)
    up = words.add("up", actions.up, "build, boot and start everything")
    beginning.add_options(up)
    beginning.add_gateways(up)
    words.add("down", actions.down, "remove everything of this lab")
    beginning.add_options(words.add("reset", actions.reset, "empty disks, no faults, everything started anew"))
    words.add("image", actions.build_image, "build the hosts' image and print its path")
    words.add("inventory", actions.show_inventory, "print where the Ansible inventory lies")
    status = words.add("status", actions.status, "hosts, power, units, faults")
    status.add_argument("--json", action="store_true", help="for programs")
    _add_faults(words)
    words.add_rest("run", actions.run, "run a command inside a host", "target")
    for word in actions.PLUGS:
        words.add_rest(word, actions.plug(word), f"see {actions.PLUGS[word].partition(':')[0]}")
    return root


def _add_faults(words: _Words) -> None:
    words.add_fault("kill", actions.kill, "take a site's or host's power, or kill a unit of a host", "target", "unit?")
    reboot = words.add(
        "reboot", actions.reboot, "take a site's or host's power, and give it back after a while", "target"
    )
    reboot.add_argument("--after", type=float, required=True, metavar="SECONDS", help="how long it is off")
    words.add("revive", actions.revive, "give a site or a host its power back", "target")
    words.add_fault("freeze", actions.freeze, "stop a host, or a unit's processes, where they stand", "target", "unit?")
    words.add_fault("fill", actions.fill, "fill a host's disk", "target")
    words.add("thaw", actions.thaw, "end the process and SIP faults of a host", "target", "unit?")
    _add_sip_faults(words)
    _add_part(words.add_fault("cut", actions.cut, "cut the link between two ends", "a", "b"))
    flap = words.add_fault("flap", actions.flap, "cut and heal the link between two ends in turn", "a", "b")
    flap.add_argument("--down", type=float, required=True, metavar="SECONDS", help="how long it is cut")
    flap.add_argument("--up", type=float, required=True, metavar="SECONDS", help="how long it is whole")
    _add_part(flap)
    loss = words.add_fault("loss", actions.loss, "lose packets between two ends", "a", "b")
    loss.add_argument("percent", type=float)
    heal = words.add("heal", actions.heal, "end every fault but lost power")
    heal.add_argument("--all", action="store_true", help="and give power back")


def _add_part(command: argparse.ArgumentParser) -> None:
    command.add_argument("--one-way", action="store_true", help="only packets from A to B")
    command.add_argument("--new-flows", action="store_true", help="only what A starts towards B")
    command.add_argument(
        "--port",
        dest="ports",
        type=int,
        action="append",
        default=[],
        help="only this destination port; may be repeated",
    )


def _add_sip_faults(words: _Words) -> None:
    refuse = words.add_fault("refuse", actions.refuse, "answer OPTIONS and refuse every new call", "target")
    refuse.add_argument("code", type=int, nargs="?", default=500, help="the SIP status (500)")
    words.add_fault("overload", actions.overload, "answer 503 to every new request, OPTIONS too", "target")
    slow = words.add_fault("slow", actions.slow, "hold back every SIP reply", "target")
    slow.add_argument("milliseconds", type=int)


def main(argv: list[str]) -> int:
    """Run one command; an error that a person can mend is one line and exit status 1."""
    options = parser().parse_args(argv)
    try:
        requirements.need_root()
        return options.action(Lab(options.id), options) or 0
    except LabError as error:
        say(f"lab: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our answer has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
