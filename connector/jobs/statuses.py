"""What WhatsApp tells us besides messages: what became of ours, new user ids, the account's own news."""

from __future__ import annotations

from typing import Any

from connector.core.address import Address
from connector.storage import ledger, people, recipients, sent, work
from connector.storage.sent import ACCEPTED
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.observe import learned

from . import account, failures, moving, reports, spreading, templating
from .runtime import Runtime


def status(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: what became of a message of ours; also the proof that one went whose answer was lost."""
    payload: dict[str, Any] = row.payload
    code = rt.store.pseudonyms.of(f"wamid:{rt.name}", payload["id"])
    if told := recipients.parsed(str(payload["key"] or "")):
        return spreading.heard(connection, rt, told, str(payload["state"]), payload.get("error_code"), now)
    known = sent.key_of(connection, rt.name, code)
    key = str(payload.get("key") or known)
    state = str(payload["state"])
    if key and not known:
        # Whatever became of it: a status with our key says that WhatsApp took it, so it is not sent again. One of
        # a message that we know was taken says nothing of a second try of the same.
        open_send = work.open_payload(connection, rt.store.sealer, rt.name, "send", key)
        if open_send is not None:
            ledger.note_out(
                connection, town=rt.name, key=code, person_id=int(open_send["person"]), send_key=key,
                about=open_send["about"], state="accepted", now=now,
            )  # fmt: skip
            person = people.get(connection, rt.store.sealer, int(open_send["person"]))
            work.settle(
                connection, key, f"{ACCEPTED} (seen by its status)", now, keep=person.address is not None
            )
            crash.point("status.settled")
    error = " ".join(str(x) for x in (payload.get("error_code"), payload.get("error_title")) if x) or None
    found = ledger.advance(
        connection, town=rt.name, key=code, send_key=key, state=state, error=error, now=now
    )
    if found == "unknown":
        return f"status {state} of a message not ours"
    about = ledger.find(connection, rt.name, "out", code)
    if not about.startswith("draft:"):
        learned(reference=about)
    if state == "failed" and found == "same":
        return "status failed: known, or it was delivered after all"
    if state == "failed":
        return f"status failed: {_failed(connection, rt, about, key, payload.get('error_code'), now)}"
    if state in ("delivered", "read", "played"):
        sent.delivered(connection, rt.name, key)
    reports.heard(connection, rt, key, state, now)
    return f"status {state}"


def _failed(connection: Connection, rt: Runtime, about: str, key: str, number: int | None, now: float) -> str:
    """WhatsApp took a message and could not deliver it: what its code asks for is done."""
    ended = sent.find(connection, rt.name, key)
    if ended is None:
        return "nothing more to do"
    return failures.undelivered(connection, rt, ended, number, about, now)


def notice(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: any other notification. A new user id is followed; the rest is kept and counted."""
    field = str(row.payload["field"])
    if field == "user_id_update":
        return _user_ids(connection, rt, row.payload["payload"], now)
    if field == "user_preferences":
        return _preferences(connection, rt, row.payload["payload"], now)
    if field.startswith("message_template_"):
        # it names neither town nor number: WhatsApp is asked, for each town that has templates
        templating.soon(connection, rt, now)
        return f"kept: {field}; WhatsApp is asked about the templates"
    if field.startswith(("phone_number_", "account_")):
        account.soon(connection, rt, now)
        return f"kept: {field}; WhatsApp is asked about the number"
    return f"kept: {field}"


def _preferences(connection: Connection, rt: Runtime, value: dict[str, Any], now: float) -> str:
    """People stop marketing messages in WhatsApp itself, and let them through again."""
    stopped = resumed = 0
    for one in value.get("user_preferences") or ():
        if not isinstance(one, dict) or one.get("category") != "marketing_messages":
            continue
        known = Address(*(str(one[name]) if one.get(name) else None for name in ("user_id", "wa_id")))
        if not (known.user_id or known.phone):
            continue
        person = people.find(connection, rt.store.pseudonyms, rt.store.sealer, rt.name, known)
        if person is None:
            continue
        stop = one.get("value") == "stop"
        people.stop_marketing(connection, person.id, now if stop else None)
        stopped, resumed = stopped + stop, resumed + (not stop)
    return f"marketing messages stopped by {stopped}, let through by {resumed}"


def _user_ids(connection: Connection, rt: Runtime, value: dict[str, Any], now: float) -> str:
    moved = 0
    for change in value.get("user_id_update") or ():
        ids = change.get("user_id") if isinstance(change, dict) else None
        if not isinstance(ids, dict) or not ids.get("previous") or not ids.get("current"):
            continue
        old = Address(user_id=str(ids["previous"]))
        person = people.find(connection, rt.store.pseudonyms, rt.store.sealer, rt.name, old)
        if person is None:
            continue
        phone = change.get("wa_id") or (person.address.phone if person.address else None)
        new = Address(str(ids["current"]), str(phone) if phone else None)
        moved += moving.follow(connection, rt, person, new, now)
    return f"user ids followed: {moved}"
