# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one image that all hosts share: built once, kept outside the tree under a hash of its recipe (lab/image)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from two_site_lab.errors import LabError
from two_site_lab.progress import say, step

CACHE = Path("/var/cache/sip-dr-lab")
RECIPE = Path(__file__).resolve().parent.parent / "image"
SUITE = "bookworm"
KEEP = 3
HASH_LENGTH = 12
# Mounts of a build that was killed lie on these folders of its root, innermost first.
BUILD_MOUNTS = ("var/cache/apt/archives", "proc")


def recipe_hash(recipe: Path = RECIPE) -> str:
    """Short hash over every file of the recipe, its name included: the image's name in the cache."""
    digest = hashlib.sha256(SUITE.encode())
    for path in sorted(p for p in recipe.rglob("*") if p.is_file()):
        digest.update(path.relative_to(recipe).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:HASH_LENGTH]


def image_root(build: bool = True) -> Path:
    """The image's root directory; built first when the cache has none (LabError if ``build`` is false)."""
    ready = CACHE / recipe_hash()
    if ready.is_dir():
        os.utime(ready)
        return ready
    if not build:
        raise LabError(f"the image {ready.name} is not built: lab/lab image")
    CACHE.mkdir(parents=True, exist_ok=True)
    with _build_lock() as lock:
        if not ready.is_dir():
            _build(ready, lock)
            _discard_old()
    return ready


@contextmanager
def _build_lock() -> Iterator[int]:
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("         another build of the image is under way: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _build(ready: Path, lock: int) -> None:
    _discard_stale_builds()
    target = CACHE / f"building-{ready.name}"
    debs = CACHE / "packages"
    debs.mkdir(exist_ok=True)
    sources = CACHE / "sources.list"
    lines = apt_sources(SUITE)
    sources.write_text("".join(f"deb {uri} {release} {component}\n" for uri, release, component in lines))
    log = CACHE / f"{ready.name}.log"
    command: list[str | Path] = [RECIPE / "build", target, SUITE, lines[0][0], debs, sources]
    with step(f"image {ready.name} built (once, about two minutes; {log})", announce=True), log.open("w") as out:
        # The recipe holds the lock, too: if we are killed, nobody clears its half-made root away under it.
        done = subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, pass_fds=[lock], check=False)
    if done.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise LabError(f"the image was not built: {' '.join(tail)} (all of it: {log})")
    target.rename(ready)


def _discard_stale_builds() -> None:
    for stale in CACHE.glob("building-*"):
        for mounted in BUILD_MOUNTS:
            subprocess.run(["umount", "-q", stale / mounted], check=False)
        if any(os.path.ismount(stale / mounted) for mounted in BUILD_MOUNTS):
            raise LabError(f"{stale} still has something mounted: umount it by hand")
        shutil.rmtree(stale)


def _discard_old() -> None:
    """Remove the images that were used longest ago, all but ``KEEP`` and those that a lab runs on."""
    mounts = Path("/proc/self/mounts").read_text()
    images = [path for path in CACHE.iterdir() if path.is_dir() and len(path.name) == HASH_LENGTH]
    for old in sorted(images, key=lambda path: path.stat().st_mtime, reverse=True)[KEEP:]:
        if f"lowerdir={old}," not in mounts:
            shutil.rmtree(old)
            old.with_suffix(".log").unlink(missing_ok=True)


def apt_sources(suite: str) -> list[tuple[str, str, str]]:
    """This machine's own apt sources for a Debian suite: (uri, release, component), the suite itself first.

    LabError if the machine has none.
    """
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Identifier: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = sorted({tuple(line.split()) for line in listed.stdout.splitlines() if len(line.split()) == 3})
    wanted = {suite: 0, f"{suite}-updates": 1, f"{suite}-security": 2}
    found = [(row[0], row[1], row[2]) for row in rows if row[1] in wanted and row[2] == "main"]
    if not any(release == suite for _, release, _ in found):
        raise LabError(f"apt has no source for Debian {suite}, of which the lab's hosts are made: add one")
    return sorted(found, key=lambda row: wanted[row[1]])
