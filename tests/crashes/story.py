"""One citizen's whole way through a connector that is killed once on it, and the books at its end."""

from __future__ import annotations

import functools
import io
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from connector.commands.broadcast.newsroom import Newsroom
from tests.crashes.lane import FLAG, Connector, Lane, rows
from tests.e2e.launch import PACE
from tests.e2e.way import Phone, ids, reference_in, until, words

SECRET = "Això és intern i no ha de sortir mai"
TICKS = ("poll",)
"""Kinds of work that come by themselves."""
PATIENCE = 90
"""Seconds until something that does not come is given up; a machine with other work is slow, not wrong."""
Fault = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Where the program is killed (``CONNECTOR_CRASH``), and what else happens so that it comes there."""

    crash: str
    armed: str = "start"
    """From when on: ``start``, ``send`` (the request is ready to be sent), ``answer`` (staff have just written), ``news``
    (something is to be sent to all subscribers)."""
    meta: tuple[Fault, ...] = ()
    redmine: tuple[Fault, ...] = ()
    faulty: str = "answer"
    """When the faults begin: ``send`` or ``answer``."""
    receipt: float = 1
    """Seconds after which the receipt goes out without the ticket's number."""
    failed: bool = False
    """The answer can't be delivered: staff are told, and the ticket gets another status."""
    sweep: bool = False
    """Tonight's sweep begins when the program is armed."""
    notice: bool = False
    """WhatsApp says something about the account."""
    held: bool = False
    """The answer waits behind a template for a tap."""
    stopped: bool = False
    """SIGTERM while the answer is being sent."""
    news: bool = False
    """The citizen subscribed, and news are sent after the answer."""
    meanwhile: str = ""
    """What staff do to their note while it waits for a tap: ``changed`` or ``hidden``."""

    def __str__(self) -> str:
        extras = "".join(
            f" {name}" for name in ("failed", "sweep", "held", "stopped", "news") if getattr(self, name)
        )
        faults = "".join(f" {_short(f)}" for f in (*self.meta, *self.redmine))
        extras += f" {self.meanwhile}" if self.meanwhile else ""
        late = f" at {self.armed}" if self.armed != "start" else ""
        return f"{self.crash}{late}{extras}{faults}"


def _short(fault: Fault) -> str:
    return ",".join(str(v).replace("/", "|") for v in fault.values())


@functools.cache
def photo(seed: int) -> bytes:
    """A picture that does not compress: large enough for two parts of ``storage/files.py``."""
    noise = random.Random(seed).randbytes(520 * 400 * 3)
    made = io.BytesIO()
    Image.frombytes("RGB", (520, 400), noise).save(made, "PNG", compress_level=0)
    return made.getvalue()


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


class Story:
    """``tell`` it, then ``audit`` what came of it."""

    def __init__(self, lane: Lane, case: Case, number: int) -> None:
        self.lane, self.case = lane, case
        self.connector: Connector = lane.connector(case.receipt)
        self.database = self.connector.config.parent / "connector.db"
        self.phone: Phone = lane.phone(number)
        self.number_of = number
        self.words = f"Fanal trencat al carrer {number}"
        self.answer = f"Resposta del mestre d'obres {number}."
        self.wrote = 0

    # --- the way

    def tell(self) -> None:
        case, phone, lane = self.case, self.phone, self.lane
        lane.faults([], [])
        self._arm("start")
        if case.notice:
            self._notice()
        self._write(type="text", body="Hola")
        self._tap("consent:yes")
        if case.news:
            for choice in ("menu:topics", "topic:news", "topic:news:yes", "menu:home"):
                self._tap(choice)
        self._tap("menu:mayor")
        until("the town hall asks for the text", lambda: self._count() >= 3 + 4 * case.news, PATIENCE)
        self._write(type="text", body=self.words)
        phone.photo(photo(1), "la foto")
        self.wrote += 1
        self._offered("draft:send")
        if case.faulty == "send":
            lane.faults([*case.meta], [*case.redmine])
        self._arm("send")
        self._tap("draft:send")
        receipt = self._message("the receipt", lambda m: words(m).startswith("Rebut"))
        self.reference = reference_in(receipt)
        number = until("the ticket with its photo", self._complete, PATIENCE)
        if case.armed == "answer" or case.faulty == "answer":
            self._rest()
        if case.faulty == "answer":
            if case.held:
                self._approve_template()
            lane.faults([*case.meta], [*case.redmine])
        if case.armed == "answer":
            self.connector.kill()
        lane.oac.write(number, SECRET, private=True)
        lane.oac.write(number, self.answer, file=("planol.png", "image/png", photo(2)))
        self._arm("answer")
        if case.stopped:
            until("the answer is being sent", lambda: not self._waiting_faults(), PATIENCE)
            self.connector.terminate()
            until("it is killed while it stops", lambda: self.connector.deaths, PATIENCE)
            lane.faults([], [])
        if case.held:
            template = self._message("the template", lambda m: m["type"] == "template")
            if case.meanwhile:
                self._meanwhile(number)
            self._write(
                type="button", payload=f"reply:{self.reference}", text="Llegir", context=template["id"]
            )
        if case.meanwhile == "hidden":
            self._message("that it was taken back", lambda m: "ha retirat" in words(m))
        elif case.failed:
            seen = lambda: lane.oac.ticket(number)["status"]["name"] == FLAG  # noqa: E731
            until("staff see it on the ticket", seen, PATIENCE)
        else:
            self._message("the answer", lambda m: self.answer in words(m) and m["status"] != "failed")
        if case.news:
            self._news()

    def _news(self) -> None:
        """Something is sent to all subscribers."""
        self._rest()
        self.connector.kill()
        with Newsroom.open(self.connector.config) as room:
            room.send(
                room.draft(["news"], title=f"Notícia {self.number_of}", text="Dissabte, a la plaça."), "anna"
            )
        self._arm("news")
        self._message("the news", lambda m: f"Notícia {self.number_of}" in words(m))

    def _meanwhile(self, number: int) -> None:
        journals = self.lane.oac.ticket(number)["journals"]
        (note,) = [j for j in journals if j["notes"] == self.answer]
        if self.case.meanwhile == "hidden":
            change: dict[str, Any] = {"private_notes": True}
        else:
            self.answer = self.answer.replace("Resposta", "Resposta nova")
            change = {"notes": self.answer}
        self.lane.oac.http.put(f"/journals/{note['id']}.json", json={"journal": change}).raise_for_status()
        time.sleep(2 * PACE.fresh)

    def _arm(self, moment: str) -> None:
        if self.case.armed == moment:
            if moment == "send":
                self.connector.kill()
            self.connector.start(self.case.crash, sweep=self.case.sweep)
        elif moment == "start":
            self.connector.start()

    def _write(self, **message: Any) -> str:
        self.wrote += 1
        return self.phone.send(**message)

    def _tap(self, choice: str) -> None:
        self._offered(choice)
        self.wrote += 1
        self.phone.tap(choice)

    def _offered(self, choice: str) -> None:
        self._message(choice, lambda m: choice in ids(m))

    def _message(self, what: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found = until(what, lambda: [m for m in self.phone.messages() if fits(m)], PATIENCE)
        return found[-1]

    def _count(self) -> int:
        return len(self.phone.messages())

    def _notice(self) -> None:
        value = {"phone_number": "34600000100", "event": "VERIFIED_ACCOUNT"}
        change = {"field": "account_update", "value": value}
        entry = {"id": "200000000000001", "time": 1, "changes": [change]}
        payload = {"object": "whatsapp_business_account", "entry": [entry]}
        post = f"{self.lane.meta}/_phone/webhook"

        def kept() -> bool:
            # Meta delivers it again until it is answered with 200
            return bool(self.lane.http.post(post, json={"payload": payload}).json()["status"] == 200)

        until("the notice is kept", kept, PATIENCE)

    def _approve_template(self) -> None:
        parts = [
            {"type": "BODY", "text": "Hi ha resposta a la petició {{reference}}, podeu llegir-la.",
             "example": {"body_text_named_params": [{"param_name": "reference", "example": "SCV-7K3F-9Q"}]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Llegir"}]},
        ]  # fmt: skip
        body = {"name": "resposta_disponible", "language": "ca", "category": "UTILITY",
                "parameter_format": "NAMED", "components": parts}  # fmt: skip
        made = self.lane.http.post(
            f"{self.lane.meta}/v23.0/200000000000001/message_templates", json=body,
            headers={"Authorization": f"Bearer {self.lane.secrets['token']}"},
        )  # fmt: skip
        assert made.status_code == 200 or "already content" in made.text, made.text

    def _waiting_faults(self) -> list[Fault]:
        found: list[Fault] = self.lane.http.get(f"{self.lane.meta}/_phone/faults").json()
        return found

    # --- what came of it

    def _issues(self) -> list[dict[str, Any]]:
        """Every ticket with the citizen's words, under whatever reference."""
        params = {"status_id": "*", "limit": "100", "sort": "id:desc"}
        found = self.lane.oac.http.get("/issues.json", params=params).json()["issues"]
        return [i for i in found if f"carrer {self.words.rsplit(' ', 1)[1]}" in _plain(i["description"])]

    def _complete(self) -> int:
        found = self._issues()
        return int(found[0]["id"]) if found and self.lane.oac.ticket(found[0]["id"])["attachments"] else 0

    def _open(self) -> list[tuple[Any, ...]]:
        return rows(self.database, "SELECT kind, lane, error FROM work WHERE ended_at IS NULL AND kind NOT IN "
                    f"({','.join(repr(k) for k in TICKS)})")  # fmt: skip

    def _rest(self) -> None:
        """Nothing is left to do, here or at Meta."""

        def quiet() -> bool:
            heard = rows(self.database, "SELECT count(*) FROM message WHERE direction = 'in'")
            return heard == [(self.wrote,)] and not self._open() and not self.lane.undelivered()

        try:
            until("nothing is left to do", quiet, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._open()}, {self.lane.undelivered()} to deliver") from None

    def _polls(self) -> int:
        found = rows(self.database, "SELECT count(*) FROM work WHERE kind = 'poll' AND outcome IS NOT NULL")
        return int(found[0][0])

    def audit(self) -> None:
        case = self.case
        until(f"it is killed at {case.crash}", lambda: self.connector.deaths, PATIENCE)
        self._rest()
        polls = self._polls()
        until("two more polls", lambda: self._polls() >= polls + 2, PATIENCE)
        self._rest()
        # the fork server says 255 where it could not tell any more how its child ended
        assert self.connector.deaths in ([-signal.SIGKILL], [255]), f"ended with {self.connector.deaths}"
        log = self.connector.log.read_text(encoding="utf-8")
        assert (
            f"SIGKILL at crash point {case.crash.split('>')[-1].split(':')[0].strip().split('/')[0]}" in log
        )
        self._ticket()
        self._chat()
        self._tables()
        # the whole number: the digits of a time may hold its beginning
        for private in (self.phone.number, self.words, self.answer, SECRET, "Traceback"):
            assert private not in log, f"the log holds «{private}»"

    def _ticket(self) -> None:
        found = self._issues()
        assert len(found) == 1, f"{len(found)} tickets: {[i['id'] for i in found]}"
        issue = self.lane.oac.ticket(found[0]["id"])
        ours = [a for a in issue["attachments"] if a["author"]["name"] == "Robot WhatsApp"]
        assert len(ours) == 1, f"{len(ours)} photos on the ticket: {[a['filename'] for a in ours]}"
        content = self.lane.oac.http.get(
            f"/attachments/download/{ours[0]['id']}/{ours[0]['filename']}"
        ).content
        assert pixels(content) == pixels(photo(1)), "the photo on the ticket is another"
        notes = Counter(
            j["notes"] for j in issue["journals"] if j["user"]["name"] == "Robot WhatsApp" and j["notes"]
        )
        assert all(n == 1 for n in notes.values()), f"a note of ours is there more than once: {notes}"
        assert all(j["private_notes"] for j in issue["journals"] if j["notes"] in notes), (
            "a public note of ours"
        )
        # of what waited for a tap on a slow machine, staff may have been told that it waits
        told = 0 if self.case.meanwhile == "hidden" else 1
        assert told <= len(notes) <= told + (self.case.failed or self.case.held), (
            f"what became of the answer: {notes}"
        )
        self.number = str(issue["id"])

    def _chat(self) -> None:
        sent = [m for m in self.phone.messages() if m["status"] != "failed"]
        said = [words(m) for m in sent]
        twice = [k for k, n in Counter(m["callback"] for m in sent).items() if n > 1]
        assert not twice, f"sent more than once: {twice}"
        assert sum(w.startswith("Rebut") for w in said) == 1, said
        numbered = [w for w in said if f"*{self.number}*" in w and self.answer not in w]
        assert len(numbered) == 1, f"{len(numbered)} messages with the ticket's number"
        answers = [m for m in sent if "del mestre d'obres" in words(m)]
        arrives = not self.case.failed and self.case.meanwhile != "hidden"
        assert len(answers) == arrives, f"{len(answers)} answers"
        assert all(self.answer in words(m) for m in answers), "the answer as it was before it was changed"
        pictures = [m for m in sent if m["type"] == "image"]
        assert len(pictures) == len(answers), f"{len(pictures)} pictures on the phone"
        for picture in pictures:
            media = self.lane.http.get(f"{self.lane.meta}/_phone/media/{picture['content']['id']}").content
            assert pixels(media) == pixels(photo(2)), "the picture of the answer is another"
        assert not any(SECRET in w for w in said), "a private note is on the phone"
        assert sum(m["type"] == "template" for m in sent) == self.case.held
        assert sum("consent:yes" in ids(m) for m in sent) == 1, said
        assert sum(w.startswith("Notícia de") for w in said) == self.case.news, said

    def _tables(self) -> None:
        failed = rows(self.database, "SELECT kind, error FROM work WHERE outcome = 'failed'")
        assert [kind for kind, _ in failed] == ["send"] * self.case.failed, failed
        heard = rows(self.database, "SELECT state FROM message WHERE direction = 'in'")
        assert len(heard) == self.wrote and all(state for (state,) in heard), heard
        out = dict(rows(self.database, "SELECT send_key, state FROM message WHERE direction = 'out' "
                        "AND state != 'failed'"))  # fmt: skip
        out |= dict(rows(self.database, "SELECT 'bc:' || id || ':' || attempts, state FROM recipient"))
        callbacks = {m["callback"] for m in self.phone.messages() if m["status"] != "failed"}
        assert set(out) == callbacks, "the ledger and the phone tell of different messages"
        assert set(out.values()) <= {"delivered", "read"}, out
        assert not rows(self.database, "SELECT 1 FROM work WHERE ended_at IS NOT NULL AND outcome IS NULL")
        assert not rows(self.database, "SELECT 1 FROM journal WHERE outcome = 'to send'")

    def close(self) -> None:
        self.connector.stop()

    def evidence(self) -> str:
        """What to look at when it went wrong."""
        with_errors = "\n".join(
            str(r)
            for r in rows(
                self.database,
                "SELECT id, kind, lane, attempts, outcome, error FROM work "
                f"WHERE kind NOT IN ({','.join(repr(k) for k in TICKS)})",
            )
        )
        try:
            chat = "\n".join(f"{m['status']} {words(m)[:80]!r}" for m in self.phone.messages())
        except httpx.HTTPError as error:
            chat = repr(error)
        return f"--- work\n{with_errors}\n--- phone\n{chat}\n--- log\n{self.connector.tail()}"


def _plain(text: str) -> str:
    """Without the invisible characters that keep a tracker from reading markup into citizens' words."""
    return " ".join("".join(c for c in text if c not in "\u200b\u2060\ufeff").replace("\u00a0", " ").split())
