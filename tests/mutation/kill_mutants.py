# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the pure modules in one place after the other, and see whether the tests notice.

    python tests/mutation/kill_mutants.py [--least PERCENT] [--every N] [MODULE ...]

The mutants are mutmut's: its parser and its operators, at module level too (tables, defaults, lambdas), which `mutmut
run` leaves out. The runner is ours, because the collection is imported through symbolic links, and because it is a
hundred times faster: the tests are collected once; each mutant gets a fork of this process, in which the module's
changed source is executed anew and the tests run until the first one fails. The tests that killed before go first.

The exhaustive tests run for the modules that they exhaust alone. `--every N` takes each N-th mutant, for a quick look.
Nothing is written but the report: killed, timed out (a mutant that never ends is noticed, too), survived, the
survivors' changed lines, and the ratio. The exit status is 1 when less than `--least` percent (95) were noticed.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import importlib
import os
import re
import signal
import sys
import types
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import libcst
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.contactcenter.sip_dr.plugins.module_utils"
TESTS = [
    *sorted((ROOT / "tests" / "unit" / "plugins" / "module_utils").glob("test_verdict*.py")),
    *sorted((ROOT / "tests" / "property").glob("test_verdict*.py")),
]
EXHAUSTED = ("_verdict_states", "_verdict_rules")
"""The modules that the tests of every combination go through; what these read and show is other modules' business."""

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"
NOTICED_CODE, UNNOTICED_CODE = 1, 0
RELOADED = "ignore::pytest.PytestAssertRewriteWarning"
"""Hypothesis is loaded before pytest here, which changes nothing but its assertions' words."""
CPU_LIMIT = 30.0
"""Seconds of processor time after which a mutant counts as one that never ends; the tests take a fraction of it."""


class Mutant(NamedTuple):
    """One changed place of a module."""

    module: str
    tree: libcst.Module
    change: Mutation

    def source(self) -> str:
        """Return the module's source with the change in it."""
        changed = deep_replace(self.tree, self.change.original_node, self.change.mutated_node)
        assert isinstance(changed, libcst.Module)
        return changed.code

    def __str__(self) -> str:
        lines = difflib.unified_diff(self.tree.code.splitlines(), self.source().splitlines(), lineterm="", n=0)
        return "\n".join(
            [f"{self.module}.py", *(f"    {line}" for line in lines if not line.startswith(("---", "+++")))]
        )


class Visitor(MutationVisitor):
    """Mutmut's visitor, which goes into decorated functions as well: nothing here is decorated but with property."""

    def _skip_node_and_children(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.FunctionDef) or _is_documentation(node):
            return _is_documentation(node)
        return bool(super()._skip_node_and_children(node))


def _is_documentation(node: libcst.CSTNode) -> bool:
    """Whether a statement does nothing when it runs: a documentation string or an import that only types need."""
    return isinstance(node, libcst.Expr) and isinstance(node.value, libcst.SimpleString)


def modules() -> List[str]:
    """Return the names of the decision's modules, each after those that it imports."""
    names = sorted(path.stem for path in [*SOURCES.glob("_verdict_*.py"), SOURCES / "verdict.py"])
    imports = {name: re.findall(rf"^from {PACKAGE}\.(\w+) import", source(name), re.MULTILINE) for name in names}
    ordered: List[str] = []

    def put(name: str) -> None:
        for each in imports.get(name, []):
            put(each)
        if name in imports and name not in ordered:
            ordered.append(name)

    for name in names:
        put(name)
    return ordered


@functools.cache
def source(name: str) -> str:
    """Return a module's source as it was when it was first asked for: nobody's edits come between the mutants."""
    return (SOURCES / f"{name}.py").read_text(encoding="utf-8")


def mutants_of(name: str) -> List[Mutant]:
    """Return the mutants of a module, in the order of the source."""
    wrapper = MetadataWrapper(libcst.parse_module(source(name)))
    visitor = Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    tree = wrapper.visit(visitor)
    return [Mutant(name, tree, change) for change in visitor.mutations]


class Tests:
    """The collected tests, and what a forked process must do to run them against changed modules."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self.order = sorted(items, key=_patience)
        self.names = modules()
        self.loaded = {name: importlib.import_module(f"{PACKAGE}.{name}") for name in self.names}
        strangers = [module for module in self.loaded.values() if not str(module.__file__).startswith(str(ROOT))]
        assert not strangers, f"not from this tree: {strangers}"
        self.code = {name: compile(source(name), f"{name}.py", "exec") for name in self.names}

    def outcome(self, mutant: Optional[Mutant]) -> str:
        """Return what the tests say of a mutant; of the modules as they are when there is none."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            self._in_the_fork(mutant, writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        if said:
            self.order.insert(0, self.order.pop(int(said)))
        if os.WIFSIGNALED(status):
            return TIMED_OUT
        return SURVIVED if os.WEXITSTATUS(status) == UNNOTICED_CODE else KILLED

    def _in_the_fork(self, mutant: Optional[Mutant], writer: int) -> None:
        """Run the tests until one fails, tell its place, and end this process."""
        code = NOTICED_CODE
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, CPU_LIMIT)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            self._install(mutant)
            failed = next(
                (place for place, item in enumerate(self.order) if _asked(item, mutant) and _fails(item)), None
            )
            code = UNNOTICED_CODE if failed is None else NOTICED_CODE
            os.write(writer, b"" if failed is None else str(failed).encode())
        finally:
            os._exit(code)

    def _install(self, mutant: Optional[Mutant]) -> None:
        """Execute all modules anew, one of them changed, and give the tests the new objects for the old ones."""
        old = {(key, id(thing)): module for module in self.loaded.values() for key, thing in vars(module).items()}
        code = dict(self.code)
        if mutant is not None:
            code[mutant.module] = compile(mutant.source(), f"{mutant.module}.py", "exec")
        for name in self.names:
            exec(code[name], vars(self.loaded[name]))
        for test_module in _test_modules():
            for key, thing in list(vars(test_module).items()):
                if (key, id(thing)) in old and not key.startswith("__"):
                    setattr(test_module, key, getattr(old[key, id(thing)], key))


def _patience(item: pytest.Item) -> int:
    """Sort the quick tests first, then those that draw examples, the exhaustive ones last."""
    slow = [place for place, words in enumerate(("tests/property", "every_combination"), 1) if words in item.nodeid]
    return max(slow, default=0)


def _test_modules() -> Iterator[types.ModuleType]:
    inside = str(ROOT / "tests")
    for module in list(sys.modules.values()):
        if str(getattr(module, "__file__", None) or "").startswith(inside):
            yield module


def _asked(item: pytest.Item, mutant: Optional[Mutant]) -> bool:
    return mutant is None or mutant.module in EXHAUSTED or "every_combination" not in item.nodeid


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


class Plugin:
    """Takes pytest's loop over: pytest collects, this runs."""

    def __init__(self, wanted: Sequence[str], every: int) -> None:
        self.wanted = wanted
        self.every = every
        self.results: List[Tuple[Mutant, str]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every mutant against the collected tests."""
        tests = Tests(session.items)
        if tests.outcome(None) != SURVIVED:
            raise pytest.UsageError("the tests fail without any change: nothing to measure")
        for name in self.wanted:
            before = len(self.results)
            self.results += [(mutant, tests.outcome(mutant)) for mutant in mutants_of(name)[:: self.every]]
            print(f"{name:24} {_figures(self.results[before:])}", flush=True)
            for mutant, outcome in self.results[before:]:
                if outcome == SURVIVED:
                    print(mutant, flush=True)
        return True


def _figures(results: Sequence[Tuple[Mutant, str]]) -> str:
    counts = {word: sum(outcome == word for _, outcome in results) for word in (KILLED, TIMED_OUT, SURVIVED)}
    return ", ".join([f"{len(results):5} mutants", *(f"{count:5} {word}" for word, count in counts.items())])


def measure(wanted: Sequence[str], every: int) -> List[Tuple[Mutant, str]]:
    """Return every mutant of the modules with its outcome. Raises SystemExit when the tests cannot be run."""
    os.environ["SIP_DR_EXAMPLES"] = "10"
    settings.register_profile("mutation", database=None, deadline=None, phases=[Phase.explicit, Phase.generate])
    settings.load_profile("mutation")
    plugin = Plugin(wanted, every)
    arguments = [
        *map(str, TESTS),
        "--rootdir",
        str(ROOT),
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        RELOADED,
        "--hypothesis-seed=0",
    ]
    status = pytest.main(arguments, plugins=[plugin])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not plugin.results:
        raise SystemExit(f"pytest ended with {status!r}")
    return plugin.results


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Measure, print, and return 1 when too many mutants survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="default: every module of the decision")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--least", type=float, default=95.0, metavar="PERCENT")
    chosen = parser.parse_args(arguments)
    results = measure(chosen.modules or modules(), chosen.every)
    noticed = sum(outcome != SURVIVED for _, outcome in results)
    ratio = 100 * noticed / len(results)
    print(f"all: {_figures(results)}; {ratio:.2f} % noticed, {chosen.least:g} % wanted")
    return 0 if ratio >= chosen.least else 1


if __name__ == "__main__":
    sys.exit(main())
