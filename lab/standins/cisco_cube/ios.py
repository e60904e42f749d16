# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router that behaves as Cisco IOS does where the CUBE driver looks: configuration, `no`, defaults, `show`, saving.

Made from the texts in Cisco's "Voice Command Reference" (dial-peer voice, preference, shutdown, voice class
server-group, voice class sip-options-keepalive, show dial-peer voice) and "Understand IOS and IOS XE Call Routing"
(211306). `Router` is the store, `Session` one log-in on it: what is typed in, what is printed out, and the prompt.
There is no transport in here: a unit test calls `Session.enter`, the lab puts SSH around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

INVALID = "          ^\n% Invalid input detected at '^' marker.\n"
INCOMPLETE = "% Incomplete command.\n"


class Rule(NamedTuple):
    """A line that a section takes. `key` are the groups that say which line it replaces; `default` is never shown."""

    pattern: str
    key: str
    default: str = ""


# In the order in which `show running-config` prints them; of the keys only as much as the tests use.
PEER_RULES = (
    Rule(r"description .+", "description"),
    Rule(r"translation-profile (?:incoming|outgoing) \S+", "translation-profile"),
    Rule(r"preference (?:10|\d)", "preference", "preference 0"),
    Rule(r"shutdown", "shutdown"),
    Rule(r"destination-pattern \S+", "destination-pattern"),
    Rule(r"session protocol sipv2", "session protocol"),
    Rule(r"session target (?:ipv4|ipv6|dns):\S+", "session target"),
    Rule(r"session server-group \d+", "session server-group"),
    Rule(r"destination e164-pattern-map \d+", "destination e164-pattern-map"),
    Rule(r"voice-class codec \d+", "voice-class codec"),
    Rule(
        r"voice-class sip options-keepalive(?: profile \d+|(?: (?:up-interval|down-interval|retry) \d+){1,3})?",
        "voice-class sip options-keepalive",
    ),
    Rule(r"dtmf-relay rtp-nte", "dtmf-relay"),
    Rule(r"authentication username \S+ password \d \S+", "authentication"),
)
GROUP_RULES = (
    Rule(r"description .+", "description"),
    Rule(r"(?P<entry>(?:ipv4|ipv6|dns) \S+(?: port \d+)?)(?: preference [0-5])?", "entry"),
    Rule(r"hunt-scheme (?:preference|round-robin)", "hunt-scheme", "hunt-scheme preference"),
    Rule(r"shutdown", "shutdown"),
    Rule(r"huntstop \d+ resp-code \d+(?: to \d+)?", "huntstop"),
)
PROFILE_RULES = (
    Rule(r"description .+", "description"),
    Rule(r"transport (?:tcp(?: tls)?|udp|system)", "transport", "transport system"),
    Rule(r"up-interval \d+", "up-interval", "up-interval 60"),
    Rule(r"down-interval \d+", "down-interval", "down-interval 30"),
    Rule(r"retry (?:10|[1-9])", "retry", "retry 5"),
    Rule(r"shutdown", "shutdown"),
)
SECTIONS = (
    (re.compile(r"voice class sip-options-keepalive \d+"), PROFILE_RULES, "config-class"),
    (re.compile(r"voice class server-group \d+"), GROUP_RULES, "config-class"),
    (re.compile(r"dial-peer voice \d+ (?:voip|pots)"), PEER_RULES, "config-dial-peer"),
)
MOST_ENTRIES = 5  # "The maximum number of entries is 5 per server-group" (211306)


def rules_of(header: str) -> tuple[tuple[Rule, ...], str] | None:
    """The rules of a section and its prompt, or None when there is no such section."""
    return next(((rules, mode) for pattern, rules, mode in SECTIONS if pattern.fullmatch(header)), None)


@dataclass
class Router:
    """What the device holds. `keepalive` is the state of each target (`10.71.1.100:5060`): active or busyout."""

    hostname: str = "CUBE1"
    running: dict[str, list[str]] = field(default_factory=dict)
    startup: dict[str, list[str]] = field(default_factory=dict)
    hunt: str = ""
    keepalive: dict[str, str] = field(default_factory=dict)
    privilege: int = 15
    enable_password: str = ""
    with_vrf: bool = True  # the layout of the summary's header: newer releases have VRF, older do not
    with_status: bool = True  # show dial-peer voip keepalive status came late
    nvram_works: bool = True
    refuses: str = ""  # a configuration line that this release does not take
    typed: list[str] = field(default_factory=list)  # every configuration line, as it came

    def load(self, text: str) -> None:
        """Take a configuration as it is typed, save it, and forget that it was typed."""
        session = Session(self)
        session.enter("configure terminal")
        for line in text.splitlines():
            printed = session.enter(line.strip())
            assert not printed, f"{line}: {printed}"
        self.save()
        self.typed.clear()

    def save(self) -> None:
        """write memory."""
        self.startup = {header: list(lines) for header, lines in self.running.items()}

    def reload(self) -> None:
        """Start from what was saved; every keep-alive begins as active."""
        self.running = {header: list(lines) for header, lines in self.startup.items()}
        self.keepalive.clear()

    def text(self, which: dict[str, list[str]]) -> str:
        """The configuration as `show` prints it."""
        lines = ["version 17.9", "!", f"hostname {self.hostname}", "!"]
        for _pattern, rules, _mode in SECTIONS:
            for header in [
                header for header in which if rules_of(header) == (rules, _mode) and _pattern.fullmatch(header)
            ]:
                lines += [header, *(f" {line}" for line in which[header]), "!"]
        return "\n".join([*lines, *([f"dial-peer hunt {self.hunt}", "!"] if self.hunt else []), "end", ""])

    def state(self, target: str) -> str:
        """The keep-alive state of a target: pings begin with active."""
        return self.keepalive.get(target, "active")

    def targets(self, lines: list[str]) -> list[str]:
        """The address and port of each target of a dial-peer."""
        for line in lines:
            group = re.fullmatch(r"session server-group (\d+)", line)
            if group:
                entries = self.running.get(f"voice class server-group {group[1]}", [])
                matches = [re.match(r"(?:ipv4|ipv6|dns) (\S+)(?: port (\d+))?", entry) for entry in entries]
                return [f"{match[1]}:{match[2] or 5060}" for match in matches if match]
            target = re.fullmatch(r"session target (?:ipv4|ipv6|dns):(\S+)", line)
            if target:
                return [target[1] if ":" in target[1] else f"{target[1]}:5060"]
        return []

    def peer_state(self, lines: list[str]) -> str:
        """KEEPALIVE of a dial-peer: busyout when all of its targets are, partial when some are."""
        if "shutdown" in lines or not any(line.startswith("voice-class sip options-keepalive") for line in lines):
            return ""
        states = {self.state(target) for target in self.targets(lines)}
        return "partial" if len(states) > 1 else "".join(states)


class Session:
    """One log-in: `enter` takes a line and returns what is printed, without echo and prompt."""

    def __init__(self, router: Router, privileged: bool = True) -> None:
        self.router = router
        self.privileged = privileged
        self.mode = ""  # "", "config", or the header of the section
        self.asks = ""  # a question that the next line answers

    @property
    def prompt(self) -> str:
        """What stands before the cursor."""
        if self.asks:
            return self.asks
        if not self.mode:
            return f"{self.router.hostname}{'#' if self.privileged else '>'}"
        found = rules_of(self.mode)
        return f"{self.router.hostname}({found[1] if found else 'config'})#"

    def enter(self, typed: str) -> str:
        """Run one line."""
        line = " ".join(typed.split())
        if self.asks:
            return self._answer(line)
        if not line or line.startswith("!"):
            return ""
        return self._configure(line) if self.mode else self._execute(line)

    def _answer(self, line: str) -> str:
        asked, self.asks = self.asks, ""
        if asked.startswith("Password"):
            self.privileged = line == self.router.enable_password
            return "" if self.privileged else "% Bad secrets\n"
        return self._execute("write memory")

    def _execute(self, line: str) -> str:
        if re.fullmatch(r"terminal (length|width) \d+|exit|end", line):
            return ""
        if line == "enable":
            self.asks = "" if self.privileged else "Password: "
            return ""
        if line == "show privilege":
            return f"Current privilege level is {self.router.privilege if self.privileged else 1}\n"
        if line.startswith("show ") and (self.privileged or not re.match(r"show (running|startup)", line)):
            return show(self.router, line)
        if not self.privileged:
            return INVALID
        if line == "configure terminal":
            self.mode = "config"
            return "Enter configuration commands, one per line.  End with CNTL/Z.\n"
        if line == "copy running-config startup-config":
            self.asks = "Destination filename [startup-config]? "
            return ""
        return self._write() if line in ("write memory", "write") else INVALID

    def _write(self) -> str:
        if not self.router.nvram_works:
            return "Building configuration...\n% Error opening nvram:/startup-config (Device or resource busy)\n"
        self.router.save()
        return "Building configuration...\n[OK]\n"

    def _configure(self, line: str) -> str:
        if line in ("end", "exit"):
            self.mode = "config" if line == "exit" and self.mode != "config" else ""
            return ""
        self.router.typed.append(line)
        if line == self.router.refuses:
            return INVALID
        found = rules_of(self.mode)
        printed = change(self.router.running[self.mode], found[0], line) if found else INVALID
        return self._global(line) if printed == INVALID else printed

    def _global(self, line: str) -> str:
        negated, line = line.startswith("no "), re.sub(r"^no ", "", line)
        if rules_of(line):
            self.mode = "config" if negated else line
            self.router.running.pop(line, None) if negated else self.router.running.setdefault(line, [])
            return ""
        value = re.fullmatch(r"(hostname|dial-peer hunt|version) (\S+)", line)
        if not value:
            return INVALID
        if value[1] == "version":
            return ""
        if value[1] == "hostname":
            self.router.hostname = value[2]
        else:
            self.router.hunt = "" if negated or value[2] == "0" else value[2]
        return ""


def change(lines: list[str], rules: tuple[Rule, ...], typed: str) -> str:
    """Put a line into a section, or with `no` take it out; return what is printed."""
    negated, line = typed.startswith("no "), re.sub(r"^no ", "", typed)
    for rule in rules:
        match = re.fullmatch(rule.pattern, line)
        if not match and not (negated and line == rule.key):
            continue
        if rule.key == "entry":
            assert match
            return _entry(lines, match["entry"], line, negated)
        lines[:] = [old for old in lines if not re.fullmatch(rule.pattern, old)]
        if not negated and line != rule.default:
            lines.append(line)
            lines.sort(key=lambda one: _rank(rules, one))
        return ""
    return INCOMPLETE if any(rule.key == line for rule in rules) else INVALID


def _rank(rules: tuple[Rule, ...], line: str) -> int:
    return next(at for at, rule in enumerate(rules) if re.fullmatch(rule.pattern, line))


def _entry(lines: list[str], entry: str, line: str, negated: bool) -> str:
    """A server group's entry: none twice, five at most, kept in the order in which they were typed."""
    stands = [old for old in lines if old == entry or old.startswith(entry + " preference ")]
    if negated:
        lines[:] = [old for old in lines if old not in stands]
        return "" if stands else "% Entry not found\n"
    if stands:
        return "% Entry exists already\n"
    entries = [old for old in lines if _rank(GROUP_RULES, old) == 1]
    if len(entries) == MOST_ENTRIES:
        return "% Maximum number of entries reached\n"
    lines.append(re.sub(r" preference 0$", "", line))
    lines.sort(key=lambda one: _rank(GROUP_RULES, one))
    return ""


def show(router: Router, line: str) -> str:
    """The `show` commands, with `| section` and `| include`."""
    command, _bar, wanted = line.partition(" | ")
    texts = {
        "show running-config": lambda: router.text(router.running),
        "show startup-config": lambda: router.text(router.startup),
        "show version": lambda: f"Cisco IOS XE Software, Version 17.09.04a\n{router.hostname} uptime is 1 day\n",
        "show dial-peer voice summary": lambda: "\n".join(summary(router)) + "\n",
    }
    if router.with_status:
        texts["show dial-peer voip keepalive status"] = lambda: "\n".join(keepalive_status(router)) + "\n"
    if command not in texts:
        return INVALID
    return (
        "".join(part + "\n" for part in _filtered(texts[command]().splitlines(), wanted))
        if wanted
        else texts[command]()
    )


def _filtered(lines: list[str], wanted: str) -> Iterator[str]:
    kind, _blank, pattern = wanted.partition(" ")
    if kind == "include":
        yield from (line for line in lines if re.search(pattern, line))
        return
    within = False
    for line in lines:
        within = (within and line.startswith(" ")) or bool(re.search(pattern, line))
        if within:
            yield line


def summary(router: Router) -> Iterator[str]:
    """Fixed columns, each as wide as its header; what is too long pushes the rest to the right."""
    yield f"dial-peer hunt {router.hunt or 0}"
    group, vrf = (r"SESS-SER-GRP\ ", "    VRF") if router.with_vrf else (" " * 14, "")
    yield f"             AD                                    PRE PASS {group} OUT"
    yield f"TAG    TYPE  MIN  OPER PREFIX    DEST-PATTERN      FER THRU SESS-TARGET    STAT PORT    KEEPALIVE{vrf}"
    for header, lines in router.running.items():
        if not header.startswith("dial-peer voice "):
            continue
        _dial, _voice, tag, kind = header.split()
        if len(tag) > 6:
            yield f"{tag[:5]}-"
            tag = tag[5:]
        up = "down" if "shutdown" in lines else "up"
        pattern = _value(lines, "destination-pattern")
        preference = _value(lines, "preference") or "0"
        group_tag = _value(lines, "session server-group")
        target = f"SESS-SVR-GRP: {group_tag}" if group_tag else _value(lines, "session target")
        yield (
            f"{tag:<6} {kind:<5} {up:<4} {up:<4} {'':<9} {pattern:<17} {preference:>2}  syst {target:<14}"
            f"{'':<14}{router.peer_state(lines):<12} {'NA' if router.with_vrf else ''}"
        )
    if router.with_vrf:
        yield "For server-grp details please execute command:show voice class server-group <tag_id>"


def keepalive_status(router: Router) -> Iterator[str]:
    """One row for a dial-peer with one target, further rows for each entry of a server group."""
    yield " TAG        TENANT   DESTINATION                    OOD-SessID   PRI     WT      STATUS"
    for header, lines in router.running.items():
        if not router.peer_state(lines) or not header.startswith("dial-peer"):
            continue
        tag, targets, group = header.split()[2], router.targets(lines), _value(lines, "session server-group")
        rows = [f"ipv4:{target:<25} {'1':<12} -       -       {router.state(target)}" for target in targets]
        yield f" {tag:<10} -        " + (f"sess-svr-grp:{group}" if group else rows[0])
        if group:
            yield from (" " * 22 + row for row in rows)


def _value(lines: list[str], key: str) -> str:
    return next((line[len(key) + 1 :] for line in lines if line.startswith(key + " ")), "")
