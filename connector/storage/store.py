"""The store: one writer thread with group commit, a few readers, both synchronous underneath.

All writes of a process go through one thread, which opens a transaction, runs what has queued up meanwhile
(each in a savepoint of its own, so that one that fails takes nobody with it), commits once, and only then lets
the callers go on: what was awaited is on disk.
"""

from __future__ import annotations

import asyncio
import fcntl
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url

from connector.core.errors import Finding, Misconfigured, Unavailable
from connector.toolkit.privacy import Pseudonyms, Sealer, new_pepper

from . import tables, work
from .migrate import upgrade

__all__ = ["Connection", "Store"]

T = TypeVar("T")
_GROUP = 128


def _engine(url: str, begin: str, pool: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=pool, max_overflow=0, pool_pre_ping=True)
    engine = create_engine(parsed, pool_size=pool, max_overflow=0, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver's own BEGIN comes too late and deferred
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE for the writer: a read that turns into a write fails at once, whatever busy_timeout says
        connection.exec_driver_sql(begin)

    return engine


class Store:
    """An open database. ``write`` and ``read`` take a function of a connection and are awaited."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        """Open ``url`` (``sqlite:///…`` or ``postgresql://…``), bring it to this program's schema, start the writer.

        Raises ``Misconfigured`` when the database is newer than the program, ``WrongKey`` when its content was
        encrypted with another key.
        """
        self.url = url
        self.sealer = sealer
        parsed = make_url(url)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        if self.sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self._writer = _engine(url, "BEGIN IMMEDIATE", 1)
        self._reader = _engine(url, "BEGIN", 4)
        upgrade(self._writer)
        self.pseudonyms = Pseudonyms(self._pepper())
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="db-read")
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._closed = False
        self._lock: TextIO | None = None
        self._thread.start()

    def _pepper(self) -> bytes:
        with self._writer.begin() as connection:
            row = connection.execute(
                select(tables.keep.c.value).where(tables.keep.c.name == "pepper")
            ).first()
            if row is None:
                pepper = new_pepper()
                sealed = self.sealer.seal_bytes(pepper, "pepper")
                connection.execute(tables.keep.insert().values(name="pepper", value=sealed))
                return pepper
            return self.sealer.open_bytes(row.value, "pepper")

    def claim_alone(self) -> None:
        """Be the one service on an embedded database, and take over what a killed one had in hand.

        Raises ``Misconfigured`` when another service runs on it. On PostgreSQL nothing happens: there leases
        of a dead replica run out by themselves, as the others are alive.
        """
        if not self.sqlite:
            return
        lock = Path(f"{make_url(self.url).database}.lock").open("w")  # noqa: SIM115  held as long as the service runs
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            mend = "stop it first; several services on one database need PostgreSQL"
            raise Misconfigured(
                [Finding("error", "another connector is running on this database", mend, key="database")]
            ) from None
        self._lock = lock
        self.write_now(work.release_all)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` (from the writer's thread) after every commit that brought work or freed a lane."""
        self._listeners.append(listener)

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Queue a write; the future is done after the commit that holds it, or with the error that undid it."""
        if self._closed:
            raise Unavailable("the database is being closed")
        future: Future[T] = Future()
        self._queue.put((job, future))
        return future

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a write transaction and return its result once it is committed."""
        # shielded: a cancelled caller must not make the outcome of a commit unknown to the writer
        return await asyncio.shield(asyncio.wrap_future(self.submit(job)))

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

    def _commit(self, group: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        news = False
        try:
            with self._writer.begin() as connection:
                connection.info.pop("news", None)
                for job, future in group:
                    try:
                        with connection.begin_nested():
                            results.append((future, job(connection), None))
                    except Exception as error:
                        results.append((future, None, error))
                        if connection.invalidated:
                            raise
                news = connection.info.pop("news", False)
        except Exception as error:
            failure = Unavailable(f"the database could not keep it: {type(error).__name__}")
            failure.__cause__ = error
            for _, future in group:
                future.set_exception(failure)
            return
        for future, result, problem in results:
            if problem is not None:
                future.set_exception(problem)
            else:
                future.set_result(result)
        for listener in self._listeners if news else ():
            listener()

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
