"""Files that staff add to an answer: what WhatsApp sends of them, by their content, and what staff are told of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from connector.core.errors import Gone, Rejected
from connector.core.incoming import MediaKind
from connector.core.outgoing import MediaOut
from connector.core.ticket import FileRef
from connector.storage.store import Connection
from connector.storage.tickets import Ticket
from connector.toolkit import crash
from connector.toolkit.media import Reason, Refused, Rules, clean, filename
from connector.whatsapp.limits import DOCUMENT_BYTES, SENDABLE

from .runtime import Runtime

_RULES = Rules(most=DOCUMENT_BYTES)
_WHY = {Reason.SIZE: "size", Reason.PIXELS: "size", Reason.TYPE: "type", Reason.MACROS: "macros"}
"""What staff are told of a file that is not fit to be sent; what is left cannot be read."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """A file that stays on the ticket. ``why`` names the sentence ``staff.not_sent_…``."""

    file: FileRef
    why: str


async def upload(rt: Runtime, file: FileRef) -> MediaOut | NotSent:
    """The file at Meta, without what a citizen's would be freed of as well; or why WhatsApp does not send it.

    What the tracker says that it is does not count: it is told by its ending there, and WhatsApp refuses later what is
    something else, when the words of the answer have gone.
    """
    if not 0 < file.size <= DOCUMENT_BYTES:
        return NotSent(file, "size")
    try:
        content = await asyncio.to_thread(lambda: b"".join(rt.tracker.download(file, DOCUMENT_BYTES)))
        made = await asyncio.to_thread(clean, content, _RULES)
    except Refused as error:
        return NotSent(file, _WHY.get(error.reason, "broken"))
    except (Gone, Rejected):
        return NotSent(file, "gone")
    kind = next((kind for kind, one in SENDABLE.items() if made.type in one.types), None)
    if kind is None:
        return NotSent(file, "type")
    if len(made.content) > SENDABLE[kind].most:
        return NotSent(file, "size")
    name = filename(file.filename, made.type)
    try:
        media_id = await rt.whatsapp.upload(made.content, made.type, name)
    except (Gone, Rejected):
        return NotSent(file, "whatsapp")
    crash.point("upload.answered")
    return MediaOut(MediaKind(kind), media_id, filename=name if kind == MediaKind.DOCUMENT else None)


def tell_staff(
    connection: Connection, rt: Runtime, ticket: Ticket, entry: str, left: Sequence[NotSent], now: float
) -> None:
    """A private note for each file of an answer that stays on the ticket, once."""
    lang = rt.town.languages[0]
    for one in left:
        reason = rt.texts(lang, f"staff.not_sent_{one.why}")
        text = rt.texts(lang, "staff.file_not_sent", filename=one.file.filename, reason=reason)
        key = f"note:not-sent:{ticket.reference}:{entry}:{one.file.id}"
        rt.note(connection, ticket.reference, text, key=key, now=now)
