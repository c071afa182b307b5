"""A mapping that is changed while the service runs: read whole with the same checks, then taken, or refused as it is.

Every replica looks at its own file. What is refused changes nothing: the former mapping stays, and a row that the
health page, the metrics and ``connector status`` read says so, and since when.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from connector import mapping
from connector.core.conversation import Conversation
from connector.core.errors import Finding, Misconfigured
from connector.core.ports import Tracker
from connector.core.texts import Texts
from connector.core.town import Town
from connector.storage import cursors, pauses
from connector.storage.store import Connection, Store
from connector.toolkit.observe import get_logger

from . import templating
from .runtime import Runtime

log = get_logger(__name__)

MAPPING = "mapping"
"""What is refused, as a ``destination`` of ``pauses``; and the cursor that says when a mapping was last taken."""
LOOK = 3.0
"""Seconds between two looks at the files."""
_STILL = 0.3
"""Seconds a file must not have changed: an editor may just be writing it."""
_REASON = 400

Parts = tuple[Town, Texts, Conversation, Tracker]
Rebuild = Callable[[str, Town], Parts]
"""What follows from a town's new mapping. Raises ``Misconfigured``."""


@dataclass(slots=True)
class _File:
    path: Path
    runtime: Runtime
    mark: tuple[int, ...] = ()
    digest: str = ""
    refused: str = ""
    """Why what stands in the file now is not taken, "" when it is."""


class Reloading:
    """Watches the mappings of all towns of a service."""

    def __init__(self, store: Store, files: Iterable[tuple[Path, Runtime]], rebuild: Rebuild) -> None:
        self._store = store
        self._rebuild = rebuild
        self._files = [_File(path, runtime) for path, runtime in files]
        self._now = asyncio.Event()

    async def watch(self) -> None:
        """Look until cancelled, every few seconds and at SIGHUP."""
        # only the main thread gets signals
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._now.set)
        while True:
            try:
                await self.look()
            except Exception as error:
                log.error("the mappings could not be looked at, going on", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), timeout=LOOK)
            self._now.clear()

    async def look(self) -> None:
        """Look at each file once, and take what is good in those that changed."""
        for file in self._files:
            mark, digest = await asyncio.to_thread(_when_still, file)
            if digest != file.digest:
                file.mark, file.digest = mark, digest
                await self._read(file)
            file.mark = mark
            if file.refused:  # said again: another replica may have taken its own file, and the row away
                await self._store.keep(partial(self._refuse, file=file), kind=MAPPING)

    async def _read(self, file: _File) -> None:
        town, findings = await asyncio.to_thread(mapping.read, file.path)
        if town is not None and town == file.runtime.town:  # as at the start, or nothing but comments changed
            file.refused = ""
            await self._store.keep(partial(self._taken, file=file), kind=MAPPING)
            return
        parts: Parts | None = None
        if town is not None:
            try:
                parts = self._rebuild(file.runtime.name, town)
            except Misconfigured as error:
                findings = list(error.findings)
        errors = [f for f in findings if f.severity == "error"]
        if parts is None:
            file.refused = _why(errors)
            for found in errors:
                log.error("the mapping was changed and is refused; the former one stays", town=file.runtime.name,
                          file=found.file, line=found.line, key=found.key, problem=found.problem, mend=found.mend)  # fmt: skip
            return
        file.refused = ""
        await self._store.keep(partial(self._take, file=file, parts=parts), kind=MAPPING)
        log.info("the mapping was changed and is taken", town=file.runtime.name, file=str(file.path))

    def _take(self, connection: Connection, file: _File, parts: Parts) -> None:
        file.runtime.adopt(*parts)
        self._taken(connection, file)
        templating.soon(connection, file.runtime, time.time())

    def _taken(self, connection: Connection, file: _File) -> None:
        pauses.accept(connection, file.runtime.name, MAPPING)
        cursors.save(connection, file.runtime.name, MAPPING, file.digest[:12], time.time())

    def _refuse(self, connection: Connection, file: _File) -> None:
        pauses.refuse(connection, file.runtime.name, MAPPING, file.refused, time.time())


def _mark(path: Path) -> tuple[int, ...]:
    """Another one when the file has changed; empty when there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _seen(path: Path) -> tuple[tuple[int, ...], str]:
    """The mark of a file and the digest of what is in it."""
    mark = _mark(path)
    try:
        # a pipe or a device is refused by whoever reads it as a mapping; here it would never end
        return mark, hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
    except OSError:
        return (), ""


def _when_still(file: _File) -> tuple[tuple[int, ...], str]:
    """Mark and digest as they are; when they changed, as they are once nobody writes the file any more."""
    if _mark(file.path) == file.mark:
        return file.mark, file.digest
    seen = _seen(file.path)
    for _ in range(10):
        time.sleep(_STILL)
        before, seen = seen, _seen(file.path)
        if seen == before:
            break
    return seen


def _why(errors: list[Finding]) -> str:
    # anybody may see it who reaches the health page: the file's name, and not where it lies
    first = str(replace(errors[0], file=Path(errors[0].file).name)) if errors else "it cannot be read"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return first[:_REASON] + more
