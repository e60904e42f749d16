"""A CUBE with a dial-peer for each site, one with a server group, and both in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cisco_cube_bench import Bench, set_up
from ..cisco_cube_double import GROUP, PEERS


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from set_up(PEERS, tmp_path)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Bench]:
    yield from set_up(GROUP, tmp_path)


@pytest.fixture(params=["peers", "group"])
def either(request: pytest.FixtureRequest) -> Bench:
    return request.getfixturevalue("bench" if request.param == "peers" else "group")
