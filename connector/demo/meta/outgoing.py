"""Sending: what the business may send to whom, and what becomes of it.

Meta answers 200 once a message is accepted and reports by webhook what became of it; so does the stand-in. A
closed window (131047), a person who is not there (131026) and a file that does not fit its kind (131053) come
that way.
"""

from __future__ import annotations

from typing import Any

from connector.demo.meta import filling, media, templates, webhooks
from connector.demo.meta.checks import check
from connector.demo.meta.delivery import Notification
from connector.demo.meta.errors import GraphError
from connector.demo.meta.service import Service
from connector.demo.meta.state import Json, Message, Person

_FILES = ("image", "video", "audio", "document", "sticker")


def post_message(service: Service, body: Any, failed: int | None = None) -> Json:
    """POST /{phone}/messages: the answer's body, or a ``GraphError``; ``failed``: code to fail with."""
    check(body)
    with service.state.lock:
        return _mark_read(service, body) if "status" in body else _send(service, body, failed)


def _mark_read(service: Service, body: Json) -> Json:
    owner = service.state.owners.get(body["message_id"])
    if owner is None or owner[1].direction != "in":
        raise GraphError(131009, "message_id is not the id of a message that this number has received.")
    person, message = owner
    for earlier in person.messages:
        if earlier.direction == "in" and earlier.status != "read" and earlier.at <= message.at:
            service.set_status(person, earlier, "read")
    if "typing_indicator" in body:
        service.publish({"person": person.id, "typing": True})
    return {"success": True}


def _send(service: Service, body: Json, failed: int | None) -> Json:
    state = service.state
    address: str = body.get("to") or body["recipient"]
    by_phone = address.startswith("+")
    if by_phone and address[1:] == service.number.display_phone_number:
        raise GraphError(131021, "Recipient phone number is the sender phone number.")
    person = state.by_phone(address[1:]) if by_phone else state.by_user_id(address)
    kind = body["type"]
    fragment = body[kind]
    context = body.get("context", {}).get("message_id")
    for quoted in (context, fragment.get("message_id") if kind == "reaction" else None):
        if quoted is not None and (quoted not in state.owners or state.owners[quoted][0] is not person):
            raise GraphError(131009, "message_id is not the id of a message of this conversation.")
    problem = _media_problem(service, body)
    shown, category = None, "service"
    if kind == "template":
        template = _template(service, fragment)
        shown, category = filling.fill(template, fragment.get("components", [])), template.category.lower()
    if service.pair_rate is not None:
        service.pair_rate.spend(address, state.now())
    visible = person.shown_phone if person else None
    message = Message(
        id=state.wamid(visible or address.removeprefix("+"), incoming=False),
        direction="out",
        at=state.now(),
        type=kind,
        content=fragment,
        status="accepted",
        context=context,
        callback=body.get("biz_opaque_callback_data"),
        category=category,
        shown=shown,
        addressed=address,
    )
    message.error = failed or _outcome(service, person, message, problem)
    _become(service, person, message)
    contact = {"input": address, **({"wa_id": address[1:]} if by_phone else {"user_id": address})}
    accepted: Json = {"id": message.id}
    if kind == "template":
        accepted["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]}


def _media_problem(service: Service, body: Json) -> int | None:
    """131053 when an uploaded file cannot be sent as this kind; ``GraphError`` 100 when there is none."""
    kind = body["type"]
    named: list[tuple[str, Json]] = [(kind, body[kind])] if kind in _FILES else []
    if kind == "interactive":
        header = body["interactive"].get("header", {})
        named += [(header["type"], header[header["type"]])] if header.get("type") in _FILES else []
    if kind == "template":
        parameters = [p for c in body["template"].get("components", []) for p in c.get("parameters", [])]
        named += [(p["type"], p.get(p["type"], {})) for p in parameters if p["type"] in _FILES]
    for wanted, fragment in named:
        if "id" not in fragment:
            continue
        found = service.media.get(fragment["id"])
        if found is None:
            raise GraphError(100, f"{wanted}.id is not the id of a media file of this number.")
        size, types = media.SENDABLE[wanted]
        if media.bare(found.mime_type) not in types or len(found.data) > size:
            return 131053
    return None


def _template(service: Service, fragment: Json) -> templates.Template:
    name, language = fragment["name"], fragment["language"]["code"]
    template = service.templates.find(name, language)
    if template is not None and template.status == "PAUSED":
        raise GraphError(132015, f"template name ({name}) is paused")
    if template is not None and template.status == "DISABLED":
        raise GraphError(132016, f"template name ({name}) is disabled")
    if template is None or template.status != "APPROVED":
        raise GraphError(132001, f"template name ({name}) does not exist in {language}")
    return template


def _outcome(service: Service, person: Person | None, message: Message, problem: int | None) -> int | None:
    if person is None:
        return 131026
    if message.type != "template" and not service.state.window_open(person):
        return 131047
    return problem


def _become(service: Service, person: Person | None, message: Message) -> None:
    """Put the message on the person's phone, or fail it; and report which."""
    now, key = service.state.now(), person.id if person else message.addressed
    if message.error is not None or person is None:
        message.status = "failed"
        service.failed.append(message)
        report = [webhooks.status(message, "failed", now, person=person, input_=message.addressed)]
        service.emit(Notification(key, service.number.statuses(person, report)))
        return
    service.state.add_message(person, message)
    # Reactions that a business sends are only ever reported as sent.
    steps = ("sent",) if message.type == "reaction" else ("sent", "delivered")
    message.status = steps[-1]
    service.publish({"person": person.id, "message": message.as_json()})
    reports = [webhooks.status(message, step, now, person=person, input_=message.addressed) for step in steps]
    for told in [reports] if service.statuses_together else [[report] for report in reports]:
        service.emit(Notification(key, service.number.statuses(person, told)))
