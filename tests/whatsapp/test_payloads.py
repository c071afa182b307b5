"""The parser on what the samples do not show: damage, strangers, bad times, arbitrary JSON."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.address import Address
from connector.core.incoming import (
    DeliveryState,
    Inbound,
    Notice,
    PlaceIn,
    ReactionIn,
    Status,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)
from connector.core.outgoing import Outgoing
from connector.whatsapp.payloads import UNPARSED, Parsed, from_json, outgoing_from_json, parse, to_json
from tests.fuzz import examples

from .samples import AT, CHANNEL, RECEIVED, WEBHOOKS, envelope, message, webhook

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=25,
)


def one(body: bytes) -> Inbound:
    (found,) = parse(body, RECEIVED).inbound
    return found


# --- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"hola", b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000]
)
def test_no_json_is_one_problem(body: bytes) -> None:
    parsed = parse(body, RECEIVED)
    assert len(parsed.problems) == 1
    assert parsed == Parsed(problems=parsed.problems)


@pytest.mark.parametrize("root", [None, 3, "x", [], {}, {"entry": {}}, {"entry": None, "x": 1}])
def test_json_without_entries_is_kept(root: Any) -> None:
    parsed = parse(json.dumps(root).encode(), RECEIVED)
    assert [n.field for n in parsed.notices] == [UNPARSED]
    assert parsed.notices[0].payload == (root if isinstance(root, dict) else {"value": root})


def test_bad_parts_leave_the_good_ones() -> None:
    bad: list[Any] = [None, 7, "x", [], {}, {"id": ""}, {"id": "wamid.NOSENDER", "type": "text"}]
    parsed = parse(envelope(*bad, message(id="wamid.GOOD"), *bad), RECEIVED)
    assert [m.id for m in parsed.inbound] == ["wamid.GOOD"]
    assert [n.field for n in parsed.notices] == [UNPARSED] * 14
    root = json.loads(envelope(message()))
    root["entry"][:0] = [None, 3, {"id": "1"}, {"changes": 5}, {"changes": [None, {}, {"field": "messages"}]}]
    parsed = parse(json.dumps(root).encode(), RECEIVED)
    assert len(parsed.inbound) == 1
    assert len(parsed.notices) == 6


def test_lists_that_are_none_are_kept() -> None:
    parsed = parse(envelope(messages={"id": "1"}, statuses="x", contacts=3), RECEIVED)
    assert [n.payload for n in parsed.notices] == [{"messages": {"id": "1"}}, {"statuses": "x"}]


def test_messages_without_field_and_number_are_read() -> None:
    root = json.loads(envelope(message()))
    del root["entry"][0]["changes"][0]["field"]
    del root["entry"][0]["changes"][0]["value"]["metadata"]
    parsed = parse(json.dumps(root).encode(), RECEIVED)
    assert [m.channel for m in parsed.inbound] == [""]
    assert parsed.problems


def test_what_no_database_can_hold_is_replaced() -> None:
    found = one(envelope(message(text={"body": "a\0b\ud83d 😀"})))
    assert found.content == TextIn("a\ufffdb\ufffd 😀")


def test_a_part_nested_too_deeply_is_counted_not_kept() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    parsed = parse(envelope({"id": deep}, message()), RECEIVED)
    assert [n.payload for n in parsed.notices] == [{}]
    assert len(parsed.inbound) == 1


# --- people ---------------------------------------------------------------------------------------


def test_a_strangers_contact_is_not_joined() -> None:
    contacts = [{"wa_id": "34600000009", "user_id": "ES.9", "profile": {"name": "Altra"}}]
    found = one(envelope(message(from_user_id=None), contacts=contacts))
    assert found.sender == Address(phone="34600000001")
    assert found.profile_name is None


def test_a_contact_adds_what_the_message_lacks() -> None:
    contacts = [{"wa_id": "34600000001", "user_id": "ES.10000000000000000001", "profile": {"name": "Veí"}}]
    both = Address("ES.10000000000000000001", "34600000001")
    assert one(envelope(message(from_user_id=None), contacts=contacts)).sender == both
    assert one(envelope(message(**{"from": None}), contacts=contacts)).sender == both


def test_contacts_that_contradict_each_other_or_the_message_add_nothing() -> None:
    contacts = [{"wa_id": "34600000001", "user_id": "ES.1"}, {"wa_id": "34600000001", "user_id": "ES.2"}]
    assert one(envelope(message(from_user_id=None), contacts=contacts)).sender.user_id is None
    contacts = [{"wa_id": "34600000001", "user_id": "ES.2", "profile": {"name": "Altra"}}]
    found = one(envelope(message(from_user_id="ES.1"), contacts=contacts))
    assert (found.sender, found.profile_name) == (Address("ES.1", "34600000001"), None)


def test_the_old_user_id_is_only_believed_at_the_end_of_metas_sentence() -> None:
    def changed(body: str) -> Parsed:
        system = {"type": "user_changed_user_id", "user_id": "ES.NEW", "body": body}
        message_ = message(type="system", system=system, from_user_id=None, **{"from": None})
        return parse(envelope(message_), RECEIVED)

    liar = "User x changed from ES.VICTIM to ES.NEW changed from ES.OLD to ES.NEW"
    assert changed(liar).inbound[0].sender == Address("ES.OLD")
    assert not changed("User x changed from ES.VICTIM to ES.OTHER").inbound
    assert not changed("User x changed from ES.VICTIM to ES.NEW, he said so").inbound


# --- times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stamp", ["1795426800", 1795426800, "1795426800.9", 1795426800.0])
def test_times(stamp: Any) -> None:
    parsed = parse(envelope(message(timestamp=stamp)), RECEIVED)
    assert [m.at for m in parsed.inbound] == [AT]
    assert not parsed.problems


@pytest.mark.parametrize("stamp", ["", "now", -5, 0, "1e400", True, [], {}, "9" * 30, 1795426800000])
def test_unreadable_times_are_the_entrys_or_the_arrival(stamp: Any) -> None:
    body = envelope(message(timestamp=stamp))
    parsed = parse(body, RECEIVED + timedelta(microseconds=5))
    assert [m.at for m in parsed.inbound] == [RECEIVED]
    assert len(parsed.problems) == 1
    root = json.loads(body)
    root["entry"][0]["time"] = 1795426900
    parsed = parse(json.dumps(root).encode(), RECEIVED)
    assert [m.at for m in parsed.inbound] == [AT + timedelta(seconds=100)]


def test_ties_keep_their_order() -> None:
    parsed = parse(envelope(*(message(id=f"wamid.{i}") for i in "CAB")), RECEIVED)
    assert [m.id for m in parsed.inbound] == ["wamid.C", "wamid.A", "wamid.B"]


def test_the_first_of_two_with_one_id_counts() -> None:
    parsed = parse(envelope(message(), message(text={"body": "una altra cosa"})), RECEIVED)
    assert [m.content for m in parsed.inbound] == [TextIn("bon dia")]


# --- contents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        {"type": "text", "text": None},
        {"type": "text", "text": {"body": ""}},
        {"type": "location", "location": {"latitude": 95, "longitude": 2}},
        {"type": "location", "location": {"latitude": "nan", "longitude": 2}},
        {"type": "image", "image": {"caption": "x"}},
        {"type": "reaction", "reaction": {"emoji": "👍"}},
        {"type": "contacts", "contacts": []},
        {"type": "edit", "edit": {"message": {"type": "text"}}},
        {"type": "revoke"},
    ],
)
def test_a_known_type_without_its_content_is_unknown(parts: dict[str, Any]) -> None:
    assert one(envelope(message(**parts))).content == UnknownIn(parts["type"])


def test_media_that_meta_could_not_fetch() -> None:
    body = envelope(message(type="video", text=None, errors=[{"code": "131052"}]))
    assert one(body).content == UnsupportedIn("video", 131052)


def test_numbers_as_strings_and_the_other_way_round() -> None:
    place = {"latitude": "41.5", "longitude": "-2", "name": ""}
    found = one(envelope(message(type="location", location=place, **{"from": 34600000001})))
    assert found.sender.phone == "34600000001"
    assert (found.content.latitude, found.content.name) == (41.5, None)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given_", "digest"), [("ab" * 32, "ab" * 32), ("AB" * 32, "ab" * 32), ("x", ""), ("YWJj", ""), (5, "")]
)
def test_digests(given_: Any, digest: str) -> None:
    image = {"id": 5, "sha256": given_, "mime_type": "IMAGE/JPEG ; x=1"}
    content = one(envelope(message(type="image", image=image))).content
    assert (content.sha256, content.mime, content.media_id) == (digest, "image/jpeg", "5")  # type: ignore[union-attr]


def test_system_messages_that_are_no_change_of_address_are_notices() -> None:
    system = {"type": "customer_identity_changed", "identity": {"hash": "x"}}
    parsed = parse(envelope(message(type="system", system=system)), RECEIVED)
    assert (parsed.inbound, [n.field for n in parsed.notices]) == ((), ["system"])


def test_a_status_of_a_group_is_of_the_participant() -> None:
    status = {
        "id": "wamid.X",
        "status": "read",
        "timestamp": "1795426800",
        "recipient_type": "group",
        "recipient_id": "Y2FwaQ",
        "recipient_participant_id": "34600000001",
        "recipient_participant_user_id": "ES.1",
    }
    (found,) = parse(envelope(statuses=[status]), RECEIVED).statuses
    assert (found.state, found.recipient) == (DeliveryState.READ, Address("ES.1", "34600000001"))


def test_a_status_nobody_knows_is_kept() -> None:
    parsed = parse(envelope(statuses=[{"id": "wamid.X", "status": "warning"}]), RECEIVED)
    assert [(n.field, n.channel) for n in parsed.notices] == [(UNPARSED, CHANNEL)]


def test_more_beside_messages_is_a_notice_without_the_messages() -> None:
    parsed = parse(envelope(message(), errors=[{"code": 1}], calls=[{"id": "c"}]), RECEIVED)
    (notice,) = parsed.notices
    assert notice.field == "messages"
    assert set(notice.payload) == {"messaging_product", "metadata", "errors", "calls"}


def test_problems_hold_nothing_of_a_person() -> None:
    secret = "34600000001"
    bad = message(timestamp=secret, type="hologram", text={"body": secret}, id=f"wamid.{secret}")
    assert secret not in str(parse(envelope(bad, {"from": secret}), RECEIVED).problems)


# --- anything at all ------------------------------------------------------------------------------


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_bytes(body: bytes) -> None:
    parse(body, RECEIVED)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, v in inner for p in _places(v, (*path, key)))]


def _kept(parsed: Parsed, wamid: str) -> bool:
    return any(m.id == wamid for m in parsed.inbound) or wamid in json.dumps(
        [n.payload for n in parsed.notices]
    )


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from(WEBHOOKS), st.data())
def test_a_damaged_sample_loses_no_message(name: str, data: st.DataObject) -> None:
    """One place of a sample replaced or removed: every message that still is there comes out or is kept."""
    root = json.loads(webhook(name[:2]))
    path = data.draw(st.sampled_from(_places(root)[1:]))
    holder = root
    for key in path[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = data.draw(JSON)
    parsed = parse(json.dumps(root).encode(), RECEIVED)
    for entry in root.get("entry") if isinstance(root.get("entry"), list) else []:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) else []:
            value = change.get("value") if isinstance(change, dict) else None
            found = value.get("messages") if isinstance(value, dict) else None
            for part in found if isinstance(found, list) else []:
                if isinstance(part, dict) and str(part.get("id", "")).startswith("wamid."):
                    assert _kept(parsed, part["id"])


# --- JSON and back --------------------------------------------------------------------------------

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PAYLOADS = st.dictionaries(st.text(), JSON.filter(lambda v: "nan" not in repr(v)), max_size=4)
st.register_type_strategy(PlaceIn, st.builds(PlaceIn, NUMBERS, NUMBERS))


@settings(max_examples=examples(150), deadline=None)
@given(st.builds(Inbound, at=TIMES) | st.builds(Status, at=TIMES) | st.builds(Notice, payload=PAYLOADS))
def test_round_trip(thing: Inbound | Status | Notice) -> None:
    data = json.loads(json.dumps(to_json(thing)))
    assert from_json(data, type(thing)) == thing
    assert copy.deepcopy(thing) == thing


@settings(max_examples=examples(150), deadline=None)
@given(st.from_type(Outgoing))  # type: ignore[arg-type]
def test_round_trip_of_outgoing_messages(thing: Outgoing) -> None:
    assert outgoing_from_json(json.loads(json.dumps(to_json(thing)))) == thing


def test_old_rows_lack_new_fields_and_strange_ones_are_refused() -> None:
    data = to_json(one(envelope(message())))
    del data["username"], data["group"]
    assert from_json(data) == one(envelope(message()))
    with pytest.raises(ValueError, match="no Inbound"):
        from_json({"is": "Status"})
    with pytest.raises(ValueError, match="lacks a field"):
        from_json({"is": "Inbound"})
    with pytest.raises(ValueError, match="unknown kind"):
        from_json({**data, "content": {"is": "HologramIn"}})
    assert isinstance(
        one(envelope(message(type="reaction", reaction={"message_id": "w"}))).content, ReactionIn
    )
