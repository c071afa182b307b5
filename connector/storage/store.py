"""The store: one writer thread with group commit, a few readers, both synchronous underneath.

All writes of a process go through one thread, which opens a transaction, runs what has queued up meanwhile
(each in a savepoint of its own, so that one that fails takes nobody with it), commits once, and only then lets
the callers go on: what was awaited is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import queue
import threading
import time
from collections.abc import Callable, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from connector.core.errors import ConnectorError, Finding, Misconfigured, NotKept, Unavailable
from connector.toolkit import crash
from connector.toolkit.observe import get_logger
from connector.toolkit.privacy import Pseudonyms, Sealer, WrongKey, new_pepper

from . import tables, work
from .dialect import beyond, insert_once, savepoint, trouble, unopened
from .migrate import compare, upgrade
from .sqlite import engine_options

__all__ = ["Connection", "Store"]

log = get_logger(__name__)

T = TypeVar("T")
_GROUP = 128
_AGAIN = 1.0
"""Seconds between two tries to keep what has to be kept, and between two looks for a key that is missing."""


def _engine(url: str, begin: str, pool: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=pool, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(
        parsed, pool_size=pool, max_overflow=0, connect_args={"timeout": 30}, hide_parameters=True,
        **engine_options(parsed),
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver's own BEGIN comes too late and deferred
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "secure_delete=ON",
        ):  # fmt: skip
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE for the writer: a read that turns into a write fails at once, whatever busy_timeout says
        connection.exec_driver_sql(begin)

    return engine


@dataclass(slots=True)
class _Job:
    """A write that waits, and where its outcome goes: to ``loop``, or to whatever thread waits when that is None."""

    run: Callable[[Connection], Any]
    context: Context
    """What it logs, in the writer's thread, belongs to what its caller follows."""
    future: asyncio.Future[Any] | Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """The outcome, to who waits for it; one who was cancelled does not."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _tell(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()


class Store:
    """An open database. ``write`` and ``read`` take a function of a connection and are awaited."""

    def __init__(
        self, url: str, sealer: Sealer, *, migrate: bool = True, keys: Callable[[], str] | None = None
    ) -> None:
        """Open ``url`` (``sqlite:///…`` or ``postgresql://…``), bring it to this program's schema, start the writer.

        With ``migrate=False`` the schema is only compared: a look from outside changes nothing under a service.
        Raises ``Misconfigured`` when the database is newer than the program (or, not migrating, older), ``WrongKey``
        when its content was encrypted with another key, ``Unavailable`` when there is no way to it at the moment.
        ``keys`` says what ``privacy.key`` is now: it may be changed while the store is open.
        """
        self.url = url
        self.sealer = sealer
        self._keys = keys
        self._looked = 0.0
        parsed = make_url(url)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        if self.sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self._writer = _engine(url, "BEGIN IMMEDIATE", 1)
        self._reader = _engine(url, "BEGIN", 4)
        try:
            if migrate:
                upgrade(self._writer)
            else:
                compare(self._reader)
            self.pseudonyms = Pseudonyms(self._pepper())
            self.sealer.missing = self._missing
        except OperationalError as error:
            raise Unavailable(f"the database cannot be opened: {unopened(error)}") from error
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="db-read")
        self._listeners: list[Callable[[Set[str]], None]] = []
        self.trouble = ""
        """Why the last group of writes was not kept, "" when it was."""
        self._closed = False
        self._lock: TextIO | None = None
        self._begin_writing()

    def _begin_writing(self) -> None:
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._thread.start()

    def _pepper(self) -> bytes:
        find = select(tables.keep.c.value).where(tables.keep.c.name == "pepper")
        with self._writer.begin() as connection:
            row = connection.execute(find).first()
            if row is None:
                made = {"name": "pepper", "value": self.sealer.seal_bytes(new_pepper(), "pepper")}
                insert_once(connection, tables.keep, ["name"], made)
                crash.point("store.pepper")
                row = connection.execute(find).one()  # another replica may have been faster: theirs counts
            return self.sealer.open_bytes(row.value, "pepper")

    def look_for_keys(self) -> bool:
        """Take ``privacy.key`` as it is set now; True when it was changed.

        What could not open the pepper is not taken: the pepper is the last thing that a rotation encrypts anew.
        """
        new = self._set_now()
        if new is None or new.same(self.sealer):
            return False
        if not new.knows(self.sealer):
            find = select(tables.keep.c.value).where(tables.keep.c.name == "pepper")
            try:
                new.open_bytes(
                    self.read_now(lambda connection: connection.execute(find).scalar_one()), "pepper"
                )
            except WrongKey as error:
                log.error("privacy.key was changed; what was set before stays in use", reason=str(error))
                return False
        self._take(new)
        return True

    def _missing(self) -> bool:
        """Something was encrypted with a key that is not known: it may have been put in front of the others."""
        now = time.monotonic()
        if now - self._looked < _AGAIN:
            return False
        self._looked = now
        new = self._set_now()
        if new is None or new.same(self.sealer) or not new.knows(self.sealer):
            return False
        self._take(new)
        return True

    def _set_now(self) -> Sealer | None:
        try:
            return Sealer(self._keys()) if self._keys is not None else None
        except (ConnectorError, ValueError) as error:
            log.error("privacy.key cannot be read; what was set before stays in use", reason=str(error))
            return None

    def _take(self, new: Sealer) -> None:
        self.sealer.take(new)
        log.warning("privacy.key was changed, and is in use", what=new.fingerprint)

    def claim_alone(self) -> None:
        """Be the one service on an embedded database, and take over what a killed one had in hand.

        Raises ``Misconfigured`` when another service runs on it. On PostgreSQL nothing happens: there leases
        of a dead replica run out by themselves, as the others are alive.
        """
        if not self.sqlite:
            return
        self._lock = self._locked()
        if self._lock is None:
            mend = "stop it first; several services on one database need PostgreSQL"
            raise Misconfigured(
                [Finding("error", "another connector is running on this database", mend, key="database")]
            )
        self.write_now(work.release_all)

    def _locked(self) -> TextIO | None:
        lock = Path(f"{make_url(self.url).database}.lock").open("w")  # noqa: SIM115  held as long as the service runs
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        return lock

    def deserted(self) -> bool:
        """Whether it is certain that no service runs on this database: only an embedded one can tell."""
        lock = self._locked() if self.sqlite and self._lock is None else None
        if lock is not None:
            lock.close()
        return lock is not None

    def on_commit(self, listener: Callable[[Set[str]], None]) -> None:
        """Call ``listener`` (from the writer's thread) after every commit that brought work or freed a lane, with the
        kinds of row that may be claimed now (``work.ANY`` among them: of any kind)."""
        self._listeners.append(listener)

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Queue a write; the future is done after the commit that holds it, or with the error that undid it."""
        future: Future[T] = Future()
        self._put(_Job(job, copy_context(), future))
        return future

    def _put(self, job: _Job) -> None:
        if self._closed:
            raise Unavailable("the database is being closed")
        self._queue.put(job)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a write transaction and return its result once it is committed."""
        loop = asyncio.get_running_loop()
        # a caller that is cancelled stops waiting; the job is carried out all the same
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(job, copy_context(), future, loop))
        return await future

    async def keep(self, job: Callable[[Connection], T], **about: Any) -> T:
        """As ``write``, but while the database takes nothing this waits and tries again. ``about`` goes to the log."""
        while True:
            try:
                return await self.write(job)
            except NotKept as error:
                log.error("the database keeps nothing, trying again", error=str(error), **about)
                await asyncio.sleep(_AGAIN)

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a read transaction of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, job)

    def read_now(self, job: Callable[[Connection], T]) -> T:
        """As ``read``, in the caller's thread."""
        with self._reader.begin() as connection:
            return job(connection)

    def write_now(self, job: Callable[[Connection], T]) -> T:
        """As ``write``, blocking the caller's thread."""
        return self.submit(job).result()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            stop = False
            while len(group) < _GROUP:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    stop = True
                    break
                group.append(item)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: list[_Job]) -> None:
        news: set[str] = set()
        try:
            with self._writer.begin() as connection:
                connection.info.pop("news", None)
                for job in group:
                    try:
                        with savepoint(connection):
                            job.result = job.context.run(job.run, connection)
                    except Exception as error:
                        job.error = error
                        if beyond(connection, error):
                            raise
                news = connection.info.pop("news", news)
                crash.point("store.group")
        except Exception as error:
            self.trouble = trouble(error)
            for job in group:
                job.error = NotKept(f"the database could not keep it: {self.trouble}")
                job.error.__cause__ = error
            self._settle(group)
            return
        self.trouble = ""
        crash.point("store.committed")
        self._settle(group)
        for listener in self._listeners if news else ():
            # an event loop that is closed at this moment must not end the writer
            with contextlib.suppress(RuntimeError):
                listener(news)

    @staticmethod
    def _settle(group: list[_Job]) -> None:
        """Let those go on that waited: one call into each event loop, however many they are."""
        for loop in {job.loop for job in group}:
            mine = [job for job in group if job.loop is loop]
            if loop is None:
                _tell(mine)
                continue
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_tell, mine)

    def close(self) -> None:
        """Finish what is queued, then close."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout=30)
        self._readers.shutdown(wait=True)
        self._writer.dispose()
        self._reader.dispose()
        if self._lock is not None:
            self._lock.close()
