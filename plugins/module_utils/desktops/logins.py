# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in, as a page of SIP Server tells it, and how many of those before are there now. Pure: no I/O.

No document that we could read shows a page that lists agents. What is documented (SIP Server HTTP Monitoring Interface)
is the module `tLibClientsStatistics`, since 8.1.103.95: state and quantitative statistics of the connections of
T-Library clients; that every desktop with an agent holds one is our inference. What its elements are called is not
shown. So the names are options, the defaults are a guess, and names of agents are taken where the page has them, else a
number. T-Library is not spoken. A number of connections is an upper bound of the log-ins: it has URS and Stat Server in
it, and desktops whose agent has logged out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple
from xml.etree import ElementTree

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import local, plain, plains, xml

MOST_NAMED = 10
LOGIN_PAGE = "/server?tLibClientsStatistics"


@dataclass(frozen=True)
class LoginNames:
    """Names of elements or attributes, compared as probes/page.py does: without case, blanks, dots and hyphens."""

    agent: Tuple[str, ...] = ("agent", "agentId", "agentLogin", "loginId")
    """One agent who is logged in."""
    count: Tuple[str, ...] = ("agentsLoggedIn", "loggedInAgents", "agents", "clients", "connectedClients")
    """How many are; of several names the first that the page has counts, and the figures under it are added up."""


@dataclass(frozen=True)
class LogIns:
    """Who is logged in: names, sorted; None where only the number is told."""

    agents: Optional[Tuple[str, ...]]
    count: int


@dataclass(frozen=True)
class Compared:
    """Who of those before is logged in now."""

    before: int
    there: int
    missing: Tuple[str, ...]
    """Names of those who are not there; empty where names are not told."""

    @property
    def share(self) -> float:
        """There of before, 0 to 1; 1 when nobody was logged in before."""
        return self.there / self.before if self.before else 1.0

    def words(self) -> str:
        """Return it in words; names the first of the missing."""
        told = f"{self.there} of {self.before} agents logged in ({self.share:.1%})"
        if self.there >= self.before:
            return told
        named = ", ".join(self.missing[:MOST_NAMED]) + (", …" if len(self.missing) > MOST_NAMED else "")
        return f"{told}; missing: {named or f'{self.before - self.there}, names are not told'}"


def login_names(option: Mapping[str, Any]) -> LoginNames:
    """Return the option as it was given; what was left out keeps its default."""
    return LoginNames(**{name: tuple(words) for name, words in option.items() if words is not None})


def read(page: str, names: LoginNames) -> Optional[LogIns]:
    """Return who is logged in, by a page; None when it does not tell, which is not the same as nobody."""
    try:
        pairs = list(_pairs(xml(page)))
    except ElementTree.ParseError:
        return None
    agents = {value for name, value in pairs if name in plains(names.agent) and value}
    if agents:
        return LogIns(tuple(sorted(agents)), len(agents))
    for wanted in map(plain, names.count):
        figures = [int(value) for name, value in pairs if name == wanted and value.isdecimal()]
        if figures:
            # Zero that is told names everybody: nobody.
            return LogIns(None if sum(figures) else (), sum(figures))
    return None


def together(found: Iterable[LogIns]) -> Optional[LogIns]:
    """Return the log-ins of several sites as one, without names as soon as one has none; None without any site."""
    sites = list(found)
    if not sites:
        return None
    if any(one.agents is None for one in sites):
        return LogIns(None, sum(one.count for one in sites))
    return _named(agent for one in sites for agent in one.agents or ())


def given(before: Any) -> Optional[LogIns]:  # noqa: ANN401  whatever the option holds
    """Return the option `before`: a list of names, or a number, or either of each site by the site's name.

    None when it is left out. Raises DesktopError.
    """
    if before is None or before == "":
        return None
    if isinstance(before, Mapping):
        return together(one for one in map(given, before.values()) if one is not None)
    if isinstance(before, (list, tuple)):
        return _named(map(str, before))
    try:
        count = int(before)
    except (TypeError, ValueError):
        count = -1
    if count < 0 or isinstance(before, bool):
        raise DesktopError(f"before: a list of agents or their number expected, {before!r} given")
    return LogIns(None if count else (), count)


def where_before(before: Any, at: str) -> str:  # noqa: ANN401  as in given
    """Return who was logged in where before, in words; empty where that is not told by site. `at`: when that was."""
    if not isinstance(before, Mapping):
        return ""
    known = {site: given(one) for site, one in before.items()}
    counted = ", ".join(f"{site} {'not told' if one is None else one.count}" for site, one in known.items())
    return f"before{f' ({at})' if at else ''}: {counted}"


def compare(before: LogIns, now: Optional[LogIns]) -> Compared:
    """Return who of those before is logged in now; nobody is where nobody tells."""
    found = now or LogIns((), 0)
    if before.agents is None or found.agents is None:
        return Compared(before.count, min(before.count, found.count), ())
    missing = tuple(agent for agent in before.agents if agent not in found.agents)
    return Compared(before.count, before.count - len(missing), missing)


def as_result(found: Optional[LogIns]) -> Dict[str, Any]:
    """Return log-ins as modules return them: `{agents, count}`, None each where it is not told."""
    agents: Optional[List[str]] = list(found.agents) if found and found.agents is not None else None
    return {"agents": agents, "count": found.count if found else None}


def _named(agents: Iterable[str]) -> LogIns:
    names = tuple(sorted(set(agents)))
    return LogIns(names, len(names))


def _pairs(root: ElementTree.Element) -> Iterable[Tuple[str, str]]:
    for element in root.iter():
        yield plain(local(element.tag)), (element.text or "").strip()
        for name, value in element.attrib.items():
            yield plain(local(name)), value.strip()
