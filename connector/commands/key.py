"""``connector key rotate``: a new key for everything that is encrypted, while the service runs.

The new key is put in front of the old one where that is kept; every service that runs takes it up by itself and says
so in the database; then everything is encrypted anew, the pepper last. Whatever is interrupted is begun again by the
same command.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connector import config, wiring
from connector.core.errors import Misconfigured, Unavailable
from connector.storage import cursors, listening, processes, resealing
from connector.storage.store import Store
from connector.toolkit import crash
from connector.toolkit.privacy import new_key

_KEY = ("privacy", "key")
_PATIENCE = 180.0
"""Seconds that running services get to take up a new key; one that died counts as gone before that."""


@dataclass(slots=True)
class Progress:
    """How far a rotation is: of this pass, and what all passes encrypted anew. ``waiting`` names services that do not
    use the new key yet."""

    done: int = 0
    total: int = 0
    resealed: int = 0
    unreadable: int = 0
    waiting: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Where ``privacy.key`` is set, and what it is. ``file`` is None when it is an environment variable."""

    name: str
    file: Path | None
    keys: tuple[str, ...] = field(repr=False)


def place(path: Path) -> Place:
    """Where ``config.toml`` at ``path`` has its key from."""
    settings = config.load(path)
    source = settings.source(_KEY)
    keys = tuple(settings.privacy.key.get_secret_value().split(","))
    return Place(str(source), source if isinstance(source, Path) else None, keys)


def begin(path: Path) -> Place:
    """Put a new key in front of the old one. Where several stand already this is what was done before, or by hand."""
    old = place(path)
    if len(old.keys) == 1:
        _write(path, old, (new_key(), *old.keys))
        crash.point("key.written")
    return place(path)


def carry_out(path: Path) -> Iterator[Progress]:
    """Wait until every service uses the first key, then encrypt everything with it; says again and again how far it is.

    Raises ``Unavailable`` when a service does not take the key up in time.
    """
    settings = config.load(path)
    store = wiring.open_store(settings, migrate=False)
    try:
        yield from _taken_up(store)
        progress = Progress()
        while True:
            progress.done, progress.unreadable, stale = 0, 0, 0
            progress.total = store.read_now(resealing.total)
            for batch in resealing.reseal(store):
                progress.done += batch.seen
                progress.resealed += batch.resealed
                stale += batch.stale
                progress.unreadable += batch.unreadable
                yield progress
            if not stale:
                break  # a pass that found nothing: nobody writes with another key any more
        resealing.reseal_pepper(store)
    finally:
        store.close()


def finish(path: Path) -> Place:
    """Take the old keys away, when nothing needs them any more. Raises ``Misconfigured`` when something does."""
    old = place(path)
    if len(old.keys) == 1:
        return old
    settings = config.load(path)
    store = wiring.open_store(settings, migrate=False)
    try:
        left = resealing.left(store)
        late = _late(store)
    finally:
        store.close()
    if left or late:
        problem = (
            f"{left} values still need the old key" if left else f"{late[0]} does not use the new key yet"
        )
        raise Misconfigured(
            [settings.finding("error", _KEY, problem, "run connector key rotate again first")]
        )
    _write(path, old, old.keys[:1])
    return place(path)


def _late(store: Store) -> list[str]:
    """Services that run and do not encrypt with the first key."""
    if store.deserted():
        return []
    ours = store.sealer.fingerprint
    running = store.read_now(lambda connection: processes.running(connection, time.time()))
    return [f"the service on {p.host}, process {p.pid}," for p in running if p.key != ours]


def _taken_up(store: Store) -> Iterator[Progress]:
    _refuse_older(store)
    until = time.monotonic() + _PATIENCE
    while late := _late(store):
        if time.monotonic() > until:
            raise Unavailable(
                f"{late[0]} does not use the new key yet: put it in front of the old one there too (a service that "
                "has it from the environment must be restarted), then run this command again"
            )
        yield Progress(waiting=late)
        time.sleep(1)


def _refuse_older(store: Store) -> None:
    """A service of a release that does not know of this would go on with the old key and say nothing."""
    if store.deserted():
        return
    now = time.time()
    heard = store.read_now(lambda connection: cursors.age(connection, cursors.EVERYWHERE, listening.NAME))
    running = store.read_now(lambda connection: processes.running(connection, now))
    if not running and heard is not None and now - heard < processes.GONE:
        raise Unavailable(
            f"a service gave a sign {now - heard:.0f} seconds ago and does not say which key it uses: if it is of an "
            "older release, upgrade it first; if it was just stopped, try again in a minute and a half"
        )


def _write(path: Path, old: Place, keys: tuple[str, ...]) -> None:
    """Replace the keys where they stand, in one step: a crash leaves the file as it was, or as it should be."""
    text = old.file.read_text(encoding="utf-8-sig") if old.file is not None else ""
    start, end = text.find(old.keys[0]), text.rfind(old.keys[-1]) + len(old.keys[-1])
    found = text[start:end].replace(" ", "").split(",") if start >= 0 else []
    if old.file is None or found != list(old.keys):
        _by_hand(
            path,
            old,
            "is set by an environment variable" if old.file is None else "cannot be found in its file",
        )
    assert old.file is not None
    try:
        _replace(old.file, text[:start] + ",".join(keys) + text[end:])
    except OSError as error:
        _by_hand(path, old, f"is in a file that cannot be written ({error.strerror})")


def _by_hand(path: Path, old: Place, why: str) -> None:
    settings = config.load(path)
    mend = (
        "write it there yourself: the new key (connector key new), a comma, the old key; where that is the environment, "
        "restart the services one after the other. Then run this command again"
        if len(old.keys) == 1
        else "leave the first key there alone"
    )
    raise Misconfigured([settings.finding("error", _KEY, f"it {why}", mend)])


def _replace(file: Path, text: str) -> None:
    file = file.resolve()
    was = file.stat()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fchmod(handle, stat.S_IMODE(was.st_mode))
            with contextlib.suppress(PermissionError):
                os.fchown(handle, was.st_uid, was.st_gid)
            os.fsync(handle)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
