"""Random walks through the conversation: it never raises, never forgets, and builds only what WhatsApp takes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.events import Forget, Say, Submit, Wake
from connector.core.incoming import ContactsIn, MediaKind, UnknownIn
from connector.core.outgoing import AskPlaceOut
from connector.whatsapp.payloads import build
from tests.fuzz import examples

from .talk import WHO, accepted, ids_of

TYPED = st.one_of(
    st.sampled_from(["hola", "menú", "0", "1", "2", "3", "4", "6", "envia", "cancel·la", "continua", "lloc", "english", "sí",
                     "no", "alcaldia", "gràcies", "accepto", "baixa", "Hi ha un forat al carrer", " "]),
    st.text(max_size=60),
)  # fmt: skip
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("type"), TYPED),
        st.tuples(st.just("tap"), st.integers(0, 500)),
        st.tuples(st.just("photo"), st.sampled_from([None, "un peu de foto"])),
        st.tuples(st.sampled_from(["place", "wait", "later", "voice", "odd", "contacts"]), st.none()),
    ),
    max_size=25,
)


@given(MOVES)
@settings(max_examples=examples(150), deadline=None)
def test_a_walk(moves: list[tuple[str, object]]) -> None:
    citizen = accepted()
    offered = [i for say in citizen.said for i in ids_of(say.message)]
    abouts = dict.fromkeys(offered, "")
    for move, value in moves:
        at = len(citizen.done)
        before = {
            i.key for i in (*(citizen.state.draft.items if citizen.state.draft else ()), *citizen.state.held)
        }
        agreed = citizen.talk.consent.given(citizen.state)
        match move:
            case "type":
                citizen.type(str(value))
            case "tap":
                choice = offered[int(str(value)) % len(offered)]
                if choice != "(place)":
                    citizen.tap(choice, about=abouts.get(choice, ""))
            case "photo":
                citizen.photo(None if value is None else str(value))
            case "voice":
                citizen.photo(kind=MediaKind.AUDIO, voice=True)
            case "place":
                citizen.place()
            case "odd":
                citizen.send(UnknownIn("odd"))
            case "contacts":
                citizen.send(ContactsIn())
            case "later":
                citizen.later(9)
            case _:
                citizen.wait()
        new = citizen.done[at:]
        for effect in new:
            if isinstance(effect, Say):
                build(effect.message, WHO, key="k")
                for i in ids_of(effect.message):
                    offered.append(i)
                    abouts[i] = effect.about
                assert not isinstance(effect.message, AskPlaceOut) or effect.message.body
        if agreed and move in ("type", "photo", "place", "voice", "odd", "contacts"):
            assert any(isinstance(e, Say | Submit | Wake) for e in new), f"silence after {move} {value!r}"
        after = {
            i.key for i in (*(citizen.state.draft.items if citizen.state.draft else ()), *citizen.state.held)
        }
        lost = before - after
        if lost:
            submitted = {k for e in new if isinstance(e, Submit) for k in e.keys}
            dropped = citizen.outcomes[-1] in ("draft dropped", "consent withdrawn", "consent refused")
            assert lost <= submitted or dropped or any(isinstance(e, Forget) for e in new), citizen.outcomes[
                -1
            ]
    for sent in citizen.sent:
        assert len(set(sent.keys)) == len(sent.keys) and len(set(sent.files)) == len(sent.files)
    everything = [k for sent in citizen.sent for k in sent.keys]
    assert len(set(everything)) == len(everything), "one message is in one request"
