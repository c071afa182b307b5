"""Citizens' files at Meta: fetched while Meta keeps them, made safe, scanned, stored encrypted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from connector.core.errors import Gone, Rejected
from connector.storage import files, work
from connector.storage.files import PART, File
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.media import Clean, Reason, Refused, Rules, clean
from connector.toolkit.observe import get_logger

from . import attach
from .runtime import DAY, MEDIA_LIFE, Ending, Runtime

log = get_logger(__name__)


async def media(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: fetch a citizen's file from Meta, which keeps it for seven days, clean it and store it encrypted."""
    file = await _file(rt, row)
    if file is None or file.state != "waiting" or file.digest:
        return lambda connection, at: "no longer needed"
    try:
        await _room(rt, file, now)
        content = await _fetch(rt, file)
        cleaned, digest = await asyncio.to_thread(_made, content, rt.files)
    except Refused as error:
        return _leave(rt, file, "refused", error.reason, str(error))
    except (Gone, Rejected) as error:
        if now - file.created_at < MEDIA_LIFE and row.attempts < 4:
            # a link that has just expired looks the same: a new one is asked for, and every time counts
            return _again(rt, row, str(error))
        log.error("a citizen's file is lost", town=rt.name, work=row.id, reason=str(error), code=error.code)
        return _leave(rt, file, "lost", "lost", str(error))
    del content
    for n, start in enumerate(range(0, len(cleaned.content), PART)):
        part = cleaned.content[start : start + PART]
        await rt.store.write(partial(files.add_part, sealer=rt.store.sealer, file=file, n=n, data=part))
        crash.point("media.part")
    facts = {**file.facts, "mime": cleaned.type}

    def end(connection: Connection, at: float) -> str:
        stored = files.arrived(
            connection, rt.store.sealer, file, size=len(cleaned.content), digest=digest, facts=facts,
            scanned=rt.clamd is None,
        )  # fmt: skip
        if stored and rt.clamd is not None:
            payload: dict[str, object] = {"ref": file.ref}
            rt.put(
                connection,
                lane=f"media:{file.ref}",
                kind="scan",
                payload=payload,
                now=at,
                key=f"scan:{file.ref}",
            )
        attach.hasten(connection, file.ref, at)
        return f"stored: {cleaned.type}"

    return end


async def scan(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: let the virus scanner look at a stored file; until it has, the file goes nowhere."""
    file = await _file(rt, row)
    if file is None or file.state != "waiting" or not file.digest:
        return lambda connection, at: "no longer needed"
    found, outcome = "", "not scanned: no scanner is configured any more"
    if rt.clamd is not None:
        content = await rt.store.read(lambda connection: files.content(connection, rt.store.sealer, file))
        try:
            found, outcome = await asyncio.to_thread(rt.clamd.scan, content), "nothing found"
        except Rejected as error:
            log.error(
                "a file could not be scanned", town=rt.name, work=row.id, size=file.size, error=str(error)
            )
            return _leave(rt, file, "refused", "unscanned", str(error))
    if found:
        log.error("a virus was found in a citizen's file", town=rt.name, work=row.id, what=found)
        return _leave(rt, file, "refused", "virus", found)

    def end(connection: Connection, at: float) -> str:
        files.scanned(connection, file)
        attach.hasten(connection, file.ref, at)
        return outcome

    return end


async def _file(rt: Runtime, row: Row) -> File | None:
    return await rt.store.read(lambda connection: files.get(connection, rt.store.sealer, row.payload["ref"]))


async def _room(rt: Runtime, file: File, now: float) -> None:
    """Raise ``Refused`` when this person has sent as much today as is taken of one."""
    brought = await rt.store.read(lambda c: files.brought_since(c, file.person_id, now - DAY))
    if brought >= rt.allowed.bytes:
        raise Refused(Reason.MUCH, f"{brought} bytes of one person in a day")


async def _fetch(rt: Runtime, file: File) -> bytes:
    """The bytes at Meta. Raises ``Refused`` when they are more than are accepted, and what the client raises."""
    link = await rt.whatsapp.media_url(str(file.facts["media_id"]))
    if not link.sha256:
        link = replace(link, sha256=str(file.facts.get("sha256") or ""))
    try:
        content = await rt.whatsapp.download(link, rt.files.most)
    except Rejected as error:
        if error.code == "size":
            raise Refused(Reason.SIZE, str(error)) from None
        raise
    crash.point("media.fetched")
    return content


def _again(rt: Runtime, row: Row, why: str) -> Ending:
    """WhatsApp is there and answers, it is this file that it does not hand out: no reason to leave WhatsApp alone."""

    def end(connection: Connection, at: float) -> str:
        work.later(connection, rt.store.sealer, row, at + rt.pace.backoff(row.attempts), why)
        return ""

    return end


def _made(content: bytes, rules: Rules) -> tuple[Clean, str]:
    made = clean(content, rules)
    return made, hashlib.sha256(made.content).hexdigest()


def _leave(rt: Runtime, file: File, state: str, why: str, detail: str) -> Callable[[Connection, float], str]:
    """The file will not be on the ticket: kept for ``attach``, which tells people once there is a ticket."""

    def end(connection: Connection, at: float) -> str:
        files.leave(connection, rt.store.sealer, files.with_reason(file, state, why, detail))
        attach.hasten(connection, file.ref, at)
        return f"{state}: {detail}"

    return end
