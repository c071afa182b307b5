"""All sample webhooks against a table of what must come out of each."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import timedelta

import pytest

from connector.core.address import Address
from connector.core.incoming import (
    AddressChangedIn,
    ContactsIn,
    Content,
    DeliveryState,
    EditIn,
    MediaIn,
    MediaKind,
    PlaceIn,
    ReactionIn,
    ReplyIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)
from connector.whatsapp.payloads import Parsed, parse

from .samples import AT, CHANNEL, RECEIVED, WEBHOOKS, webhook

VEI = Address("ES.10000000000000000001", "34600000001")
SEGONA = Address("ES.10000000000000000002", "34600000002")
USUARI = Address("ES.90000000000000000009")
OURS = "wamid.HBgLMzQ2MDAwMDAwMDEVAgARGBRCRUQ3QTMxODk4MDRGODc1QkE1RAA="
THEIRS = "wamid.HBgLMzQ2MDAwMDAwMDEVAgASGBQyMzZCNzFDNjU2MDlFRTlCODdCMgA="


def media(kind: str, media_id: str, mime: str, sha256: str, **more: object) -> MediaIn:
    return MediaIn(MediaKind(kind), media_id, mime, sha256, **more)  # type: ignore[arg-type]


INBOUND: dict[str, list[tuple[Address, Content]]] = {
    "01": [(VEI, TextIn("Hi ha un fanal fos al carrer Major, 12"))],
    "02": [(VEI, TextIn("Sí, és aquest"))],
    "03": [(VEI, TextIn("Mireu això"))],
    "04": [(VEI, TextIn("Cadena"))],
    "05": [(VEI, TextIn("Hola"))],
    "06": [(VEI, ReplyIn("cat:enllumenat", "Enllumenat"))],
    "07": [(VEI, ReplyIn("cat:altres", "Altres"))],
    "08": [(VEI, ReplyIn("confirm:yes", "Sí, envia"))],
    "09": [(VEI, ReplyIn("rate:42:5", "Molt bé"))],
    "10": [(VEI, ReplyIn("rate:42:1", "Malament"))],
    "11": [
        (
            VEI,
            media(
                "image",
                "185431912965024",
                "image/jpeg",
                "d7bdd545f09d8a73c2b990337c8211d708a04ccd9748627685e4fc79cc038039",
                caption="Contenidor ple",
            ),
        )
    ],
    "12": [
        (
            VEI,
            media(
                "image",
                "279621286260702",
                "image/jpeg",
                "6987740fb624e3e9943ec5d9ac5519b72cea1b35fb4bde5719df3923a36c08f7",
            ),
        ),
        (VEI, TextIn("És a la plaça de Santa Anna")),
    ],
    "13": [
        (
            VEI,
            media(
                "document",
                "145018253251334",
                "application/pdf",
                "c63ebdcbe00c06b7d93143056be2bb37d7edc77c5076c1dd3b1c9931f36ddb8a",
                filename="factura.pdf",
                caption="Adjunto la factura",
            ),
        )
    ],
    "14": [
        (
            VEI,
            media(
                "audio",
                "91490030751072",
                "audio/ogg",
                "1d05d5db18261819bbc717767603ddd07715aeb2c5eec0d36a29d9400c0b69de",
                voice=True,
            ),
        )
    ],
    "15": [
        (
            VEI,
            media(
                "video",
                "186077225921866",
                "video/mp4",
                "102e4b507a9ebe0a2b9febb478f7a09a1a32d106cae44e4f90a9d6c846033d27",
            ),
        )
    ],
    "16": [
        (
            VEI,
            media(
                "sticker",
                "229662015174154",
                "image/webp",
                "347b4031452d68043db21c3dbc1a116f3638a5840ebb23e7cee61536aee66b6b",
            ),
        )
    ],
    "17": [(VEI, PlaceIn(41.5381, 2.4447, "Ajuntament", "La Riera, 48"))],
    "18": [(VEI, PlaceIn(41.54012, 2.43987))],
    "19": [(VEI, ContactsIn(("Maria Prova",)))],
    "20": [(USUARI, ContactsIn((), "34600000009"))],
    "21": [(VEI, ReactionIn("👍", OURS))],
    "22": [(VEI, ReactionIn("", OURS))],
    "23": [(VEI, UnknownIn("order"))],
    "24": [(VEI, UnsupportedIn("poll_creation", 131051))],
    "25": [(VEI, UnsupportedIn("", 131060))],
    "26": [(VEI, UnsupportedIn("", 131052))],
    "27": [(VEI, UnknownIn("hologram"))],
    "28": [(VEI, UnknownIn("interactive"))],
    "29": [(VEI, UnknownIn("nfm_reply"))],
    "30": [(Address(phone="34600000001"), AddressChangedIn(Address(phone="34600000003")))],
    "31": [(USUARI, AddressChangedIn(Address("ES.10000000000000000002")))],
    "33": [(VEI, EditIn(THEIRS, TextIn("Carrer Major, 21 (no 12)")))],
    "34": [(VEI, RevokeIn(THEIRS))],
    "35": [
        (VEI, TextIn("1: bon dia")),
        (VEI, TextIn("2: el fanal està fos")),
        (VEI, TextIn("3: i també la vorera")),
    ],
    "36": [(VEI, TextIn("Missatge repetit"))],
    "37": [(VEI, TextIn("Missatge repetit"))],
    "38": [(VEI, TextIn("Soc la U1")), (SEGONA, TextIn("Soc la U2"))],
    "39": [(VEI, TextIn("Sense contacts"))],
    "40": [(VEI, TextIn("Sense perfil"))],
    "41": [(USUARI, TextIn("No vull donar el telèfon"))],
    "42": [(USUARI, TextIn("Camps buits"))],
    "43": [(Address(phone="34600000002"), TextIn("Format anterior a 2026"))],
    "44": [
        (
            VEI,
            TextIn(
                "🚮👨\u200d👩\u200d👧\u200d👦 𝒞𝒶𝓇𝓇𝑒𝓇 — مرحبا، هناك حفرة في الطريق — שלום — "
                "ela geminada: col·legi"
            ),
        )
    ],
    "45": [(VEI, TextIn(("Incidència llarga. " * 216)[:4096]))],
    "46": [
        (
            VEI,
            TextIn(
                '=HYPERLINK("https://x.invalid")\u202egnp.exe\u202c\u200b\n\n'
                "' OR 1=1 -- <script>alert(1)</script> {{1}} *negreta*"
            ),
        )
    ],
    "47": [(VEI, TextIn(" \n \n"))],
    "61": [(VEI, TextIn("Missatge i estat junts")), (SEGONA, TextIn("A un altre número"))],
    "64": [(VEI, TextIn("Hola grup"))],
}

# state, key, error code, recipient
STATUSES: dict[str, list[tuple[str, str | None, int | None, Address]]] = {
    "48": [("sent", "out:0001", None, VEI)],
    "49": [("delivered", "out:0001", None, VEI)],
    "50": [("read", None, None, VEI)],
    "51": [("sent", None, None, VEI), ("delivered", None, None, VEI), ("read", None, None, VEI)],
    "52": [("played", None, None, VEI)],
    "53": [("failed", "out:0002", 131047, Address(phone="34600000001"))],
    "54": [("failed", None, 131049, Address(phone="34600000001"))],
    "55": [("failed", None, 131026, Address(phone="34600000001"))],
    "56": [("failed", None, 131042, Address(phone="34600000001"))],
    "57": [("failed", None, 132015, Address(phone="34600000001"))],
    "58": [("sent", "out:0003", None, VEI)],
    "59": [("delivered", None, None, USUARI)],
    "60": [("sent", None, None, Address(phone="34600000001"))],
    "61": [("delivered", None, None, VEI)],
}

NOTICES: dict[str, tuple[str, str | None]] = {
    "32": ("user_id_update", CHANNEL),
    "62": ("messages", CHANNEL),
    "65": ("user_preferences", CHANNEL),
    "66": ("message_template_status_update", None),
    "67": ("message_template_status_update", None),
    "68": ("message_template_status_update", None),
    "69": ("message_template_quality_update", None),
    "70": ("template_category_update", None),
    "71": ("phone_number_quality_update", None),
    "72": ("account_update", None),
    "73": ("account_update", None),
    "74": ("smb_message_echoes", CHANNEL),
    "75": ("field_of_the_future", None),
}
PROBLEMS = {"23", "27", "28", "29"}


def said(parsed: Parsed) -> list[tuple[Address, Content]]:
    return [(m.sender, m.content) for m in parsed.inbound]


def states(parsed: Parsed) -> list[tuple[str, str | None, int | None, Address]]:
    return [(s.state.value, s.key, s.error_code, s.recipient) for s in parsed.statuses]


def test_there_are_75_samples() -> None:
    assert len(WEBHOOKS) == 75


@pytest.mark.parametrize("name", WEBHOOKS)
def test_sample(name: str) -> None:
    number = name[:2]
    parsed = parse(webhook(number), RECEIVED)
    assert said(parsed) == INBOUND.get(number, [])
    assert states(parsed) == STATUSES.get(number, [])
    assert [(n.field, n.channel) for n in parsed.notices] == [NOTICES[n] for n in [number] if n in NOTICES]
    assert bool(parsed.problems) == (number in PROBLEMS), parsed.problems
    assert all(m.group == (number == "64") for m in parsed.inbound)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_sample_with_everything_shuffled_and_doubled(name: str) -> None:
    """Meta repeats and reorders: what comes out is the same, once; ties of a second may change places."""
    root = json.loads(webhook(name[:2]))
    rng = random.Random(name)
    for entry in root["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            for key in ("messages", "statuses", "contacts"):
                if key in value:
                    value[key] = value[key] * 2
                    rng.shuffle(value[key])
        if NOTICES.get(name[:2]) is None:
            entry["changes"] = entry["changes"] * 2
        rng.shuffle(entry["changes"])
    rng.shuffle(root["entry"])
    parsed = parse(json.dumps(root, ensure_ascii=False).encode(), RECEIVED)

    def words(things: Iterable[object]) -> list[str]:
        return sorted(map(repr, things))

    assert words(said(parsed)) == words(INBOUND.get(name[:2], []))
    assert words(states(parsed)) == words(STATUSES.get(name[:2], []))
    assert [(n.field, n.channel) for n in parsed.notices] == [NOTICES[n] for n in [name[:2]] if n in NOTICES]
    assert [m.at for m in parsed.inbound] == sorted(m.at for m in parsed.inbound)


def test_details_of_a_message() -> None:
    (found,) = parse(webhook("02"), RECEIVED).inbound
    assert found.id.startswith("wamid.")
    assert (found.at, found.channel, found.profile_name, found.quoted) == (AT, CHANNEL, "Veí de prova", OURS)
    (found,) = parse(webhook("41"), RECEIVED).inbound
    assert (found.profile_name, found.username) == ("Usuari", "usuari.prova")
    (found,) = parse(webhook("40"), RECEIVED).inbound
    assert found.profile_name is None
    first, second = parse(webhook("38"), RECEIVED).inbound
    assert (first.profile_name, second.profile_name) == ("Veí de prova", "Segona Persona")


def test_details_of_a_status() -> None:
    (found,) = parse(webhook("48"), RECEIVED).statuses
    assert (found.id, found.state, found.at, found.channel) == (OURS, DeliveryState.SENT, AT, CHANNEL)
    assert (found.category, found.billable) == ("service", True)
    (found,) = parse(webhook("53"), RECEIVED).statuses
    assert (found.error_title, found.billable) == ("Re-engagement message", None)
    assert found.at == AT + timedelta(seconds=2)


def test_messages_of_two_numbers_keep_their_channel() -> None:
    assert [m.channel for m in parse(webhook("61"), RECEIVED).inbound] == [CHANNEL, "100000000000002"]


def test_notices_hold_the_raw_value() -> None:
    (notice,) = parse(webhook("68"), RECEIVED).notices
    assert notice.payload["event"] == "PAUSED"
    (notice,) = parse(webhook("62"), RECEIVED).notices
    assert notice.payload["errors"][0]["code"] == 130429  # type: ignore[index]
