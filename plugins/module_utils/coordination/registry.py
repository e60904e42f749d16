# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which coordination drivers there are; static imports, for AnsiballZ ships nothing that is imported by name."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, Iterator, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import Store
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import EtcdStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    DEFAULT_SETTINGS,
    EtcdClient,
    read_settings,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.files import FilesStore


@contextmanager
def _files(coordination: Mapping[str, Any], state_dir: str) -> Iterator[Store]:
    yield FilesStore(Path(coordination["directory"]), state_dir)


@contextmanager
def _etcd(coordination: Mapping[str, Any], state_dir: str) -> Iterator[Store]:
    client = EtcdClient(read_settings(coordination.get("settings") or DEFAULT_SETTINGS))
    try:
        yield EtcdStore(client, state_dir)
    finally:
        client.close()


DRIVERS: Dict[str, Callable[[Mapping[str, Any], str], ContextManager[Store]]] = {"etcd": _etcd, "files": _files}


def open_store(coordination: Mapping[str, Any], state_dir: str) -> ContextManager[Store]:
    """Return the store on this host, for the length of a block.

    `coordination` has driver, and directory (files) or settings (etcd); `state_dir` is where the run journal keeps the
    newest token. Raises StoreError when the settings cannot be used.
    """
    return DRIVERS[coordination["driver"]](coordination, state_dir)
