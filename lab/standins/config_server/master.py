# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The master Configuration Server: in service only with the one writable session on its database.

Started where the database is a standby, where its grants are revoked or where another master holds the lock, it refuses
and exits. When the session is lost later it goes out of service: clients are dropped, and port 2020 answers ``status``
alone.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from standins.config_server.desk import Desk
from standins.config_server.licence import LicenceError, check_licence
from standins.config_server.objects import ObjectCache, name_of
from standins.config_server.settings import Settings, read_settings
from standins.config_server.store import NotMasterError, Store, StoreLostError
from standins.config_server.wire import Message, RefusedError, notify_ready

CHECK_INTERVAL = 0.5
SILENCE_LIMIT = 3.0
START_LIMIT = 10.0


class Master:
    """Backend of the desk: objects in memory, every write committed before it is acknowledged."""

    def __init__(self, settings: Settings) -> None:
        """Out of service until ``take_service`` succeeds."""
        self.objects = ObjectCache()
        self._settings = settings
        self._store = Store(settings)
        self._turn = asyncio.Lock()
        self._in_service = False
        self._seen_writable = 0.0
        self._why = "starting"
        self.desk = Desk(self)

    @property
    def serves(self) -> bool:
        """In service, and the database answered lately: a frozen one must not look alive."""
        return self._in_service and self._now() - self._seen_writable < SILENCE_LIMIT

    def status(self) -> Message:
        """``run_mode`` is primary exactly while a writable session on the database is held."""
        return {
            "mode": "master",
            "run_mode": "primary" if self.serves else "out-of-service",
            "in_service": self.serves,
            "read_only": not self.serves,
            "site": self._settings.site,
            "why": None if self.serves else self._why,
        }

    async def take_service(self) -> None:
        """Become master and load everything; NotMasterError or StoreLostError if that cannot be."""
        async with self._turn:
            self.objects.replace(await asyncio.to_thread(self._store.open))
            self._in_service, self._seen_writable = True, self._now()

    async def write(self, obj: Message, username: str) -> Message:
        """Commit, tell the subscribers, and only then acknowledge."""
        async with self._turn:
            stored = {**obj, "dbid": self._dbid_for(obj)}
            try:
                seq = await asyncio.to_thread(self._store.write, stored, username)
            except StoreLostError as lost:
                self._leave_service(str(lost))
                raise RefusedError(f"out of service: {lost}") from lost
            self._seen_writable = self._now()
            self.objects.put(stored)
            self.desk.announce(stored)
            return {"object": stored, "seq": seq}

    async def watch(self) -> None:
        """For ever: leave service when the session is lost or may not write, take it again when it may."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            if self._in_service:
                await self._check()
            else:
                await self._try_again()

    async def _check(self) -> None:
        async with self._turn:
            try:
                writable = await asyncio.to_thread(self._store.is_writable)
            except StoreLostError as lost:
                self._leave_service(str(lost))
                return
            if writable:
                self._seen_writable = self._now()
            else:
                self._leave_service("the database is read-only")

    async def _try_again(self) -> None:
        try:
            await self.take_service()
        except (NotMasterError, StoreLostError, RefusedError) as error:
            self._why = str(error)
        else:
            print("in service again", file=sys.stderr, flush=True)

    def _leave_service(self, why: str) -> None:
        self._in_service, self._why = False, why
        self._store.close()
        self.desk.hang_up()
        print(f"out of service: {why}", file=sys.stderr, flush=True)

    def _dbid_for(self, obj: Message) -> str:
        kind, dbid = str(obj["type"]), str(obj.get("dbid") or "")
        if not name_of(obj):
            raise RefusedError("an object needs a name (CfgDN: a number, CfgPerson: a username)")
        if dbid:
            if not self.objects.find(kind, dbid=dbid):
                raise RefusedError("no such object")
            return dbid
        twins = [twin.get("switchdbid") for twin in self.objects.find(kind, name_of(obj))]
        if obj.get("switchdbid") in twins:
            raise RefusedError("an object of that type and name exists")
        return self.objects.next_dbid(kind)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _start(master: Master) -> None:
    """Take service; a database that is still starting gets START_LIMIT seconds, one that says no gets none."""
    deadline = asyncio.get_running_loop().time() + START_LIMIT
    while True:
        try:
            return await master.take_service()
        except StoreLostError as lost:
            if asyncio.get_running_loop().time() > deadline:
                raise NotMasterError(str(lost)) from lost
        await asyncio.sleep(CHECK_INTERVAL)


async def serve(settings: Settings) -> None:
    """Run the master until it is stopped; NotMasterError or LicenceError if it must not start."""
    check_licence(settings.licence)
    master = Master(settings)
    await _start(master)
    await master.desk.listen(*settings.ports)
    notify_ready()
    print(f"in service as master at {settings.site}", file=sys.stderr, flush=True)
    await master.watch()


def main() -> int:
    """Exit code 3 when it refuses to be master."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", dest="file", type=Path, default=Path("confserv.conf"), help="configuration file")
    try:
        asyncio.run(serve(read_settings(parser.parse_args().file)))
    except (NotMasterError, LicenceError) as refusal:
        print(f"refused to start as master: {refusal}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
