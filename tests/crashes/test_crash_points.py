"""Killed at each named point, the program goes on as if nothing had been: one ticket, one receipt, one answer."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from connector.toolkit import crash
from connector.worker import ERRANDS, STEPS
from tests.crashes.lane import Lane
from tests.crashes.story import Case, Fault, Story
from tests.e2e.way import ROOT

LANES = 5
CREATE, PUT = "POST /projects/*/issues.json", "PUT /issues/*"
_LOST_ANSWER: tuple[Fault, ...] = ({"match": CREATE, "drop": "after"},)
_LOST_CALL: tuple[Fault, ...] = ({"match": CREATE, "drop": "before"},)
_SLOW: Fault = {"delay": 1.6, "commit": "after"}
"""A tracker that commits after we were killed, have started again and looked: below the launcher's ``settle``."""
_CLOSED: Fault = {"match": "messages", "error": 131047}

STARTING = [
    Case(c)
    for c in ("migrate.version", "migrate.version:2", "store.pepper", "store.group", "store.committed")
]
ACCEPTING = [
    Case(c)
    for c in (
        "webhook.kept",
        "webhook.kept:4",
        "webhook.stored",
        "webhook.stored:4",
        "errand.called/media > webhook.kept",
        "errand.called/create > webhook.stored",
    )
]
# messages of the citizen: Hola, consent, menu, text, photo, send
TALKING = [Case(f"step.done/inbound:{n}{then}") for n in (1, 2, 5, 6) for then in ("", " > store.committed")]
STEPPING = [
    *(Case(f"step.done/{kind}{then}") for kind in ("quiet", "status", "report") for then in ("", " > store.committed")),
    *(Case(f"step.done/notice{then}", notice=True) for then in ("", " > store.committed")),
    *(Case(f"step.done/retention{then}", armed="answer", sweep=True) for then in ("", " > store.committed")),
    *(
        Case(f"step.done/receipt{then}", receipt=0.3, faulty="send",
             redmine=({"match": CREATE, "delay": 1.0, "commit": "before"},))
        for then in ("", " > store.committed")
    ),
]  # fmt: skip
MOMENTS = ("claimed", "called", "ending", "ending > store.committed")


def _moments(kind: str, n: int = 1, **more: object) -> list[Case]:
    """The four moments of an errand; at its ``n``-th time."""
    made = []
    for moment in MOMENTS:
        first, _, then = moment.partition(" > ")
        where = f"errand.{first}/{kind}{f':{n}' if n > 1 else ''}{f' > {then}' if then else ''}"
        made.append(Case(where, **more))  # type: ignore[arg-type]
    return made


# messages to the citizen: consent, menu, question, summary, receipt, answer
ERRANDING = [
    *_moments("send"), *_moments("send", 5), *_moments("send", 1, armed="answer"),
    *_moments("media"), *_moments("scan"), *_moments("read"), *_moments("create"), *_moments("attach"),
    *_moments("note"), *_moments("templates"), *_moments("number"), *_moments("feed"), *_moments("sweep", armed="answer", sweep=True),
    *_moments("flag", failed=True, meta=({"match": "messages", "failed": 131026},)),
    *_moments("poll"), *_moments("poll", armed="answer"),
    *_moments("look", faulty="send", redmine=_LOST_ANSWER),
    *_moments("answer"),
]  # fmt: skip
_WAITED = {"meta": (_CLOSED,), "held": True}
ERRANDING += [
    *_moments("recheck", **_WAITED, meanwhile="changed"), *_moments("recheck", **_WAITED, meanwhile="hidden"),
]  # fmt: skip
ERRANDING += _moments("broadcast", armed="news", news=True)
WITHIN = [
    *(Case(f"broadcast.gathered{then}", armed="news", news=True) for then in ("", " > store.committed")),
    Case("broadcast.trying", armed="news", news=True),
    Case("broadcast.called", armed="news", news=True),
    Case("send.trying:5"),
    Case("send.trying", armed="answer"),
    Case("create.trying"),
    Case("create.posted"),
    Case("create.looked", faulty="send", redmine=_LOST_ANSWER),
    Case("create.looked", faulty="send", redmine=_LOST_CALL),
    Case("flag.put", failed=True, meta=({"match": "messages", "failed": 131026},)),
    Case("create.trying > store.committed", faulty="send", redmine=({"match": CREATE, **_SLOW},)),
    Case("attach.uploaded"),
    Case("attach.put"),
    Case("attach.uploaded > store.committed", faulty="send", redmine=({"match": PUT, **_SLOW},)),
    Case("note.put"),
    Case("media.fetched"),
    Case("media.part"),
    Case("upload.answered"),
    *(
        Case(f"recheck.anew{then}", meta=(_CLOSED,), held=True, meanwhile="changed")
        for then in ("", " > store.committed")
    ),
    *(
        Case(f"recheck.withdrawn{then}", meta=(_CLOSED,), held=True, meanwhile="hidden")
        for then in ("", " > store.committed")
    ),
]
FAILING = [
    Case("errand.failed/create", faulty="send", redmine=_LOST_CALL),
    Case("errand.failed/create", faulty="send", redmine=_LOST_ANSWER),
    Case("errand.failed/send", meta=({"match": "messages", "drop": "before"},)),
    Case("errand.failed/send", meta=({"match": "messages", "drop": "after"},)),
    Case("errand.failed/send", meta=({"match": "messages", "http": 502},)),
    Case("status.settled", meta=({"match": "messages", "drop": "after"},)),
    Case("status.settled > store.committed", meta=({"match": "messages", "drop": "after"},)),
    Case("status.again", meta=({"match": "messages", "failed": 131056},)),
    Case("status.again > store.committed", meta=({"match": "messages", "failed": 131056},)),
    Case("send.held", meta=({**_CLOSED, "count": 2},), held=True),  # it was not committed: it is tried again
    Case("send.held > store.committed", meta=(_CLOSED,), held=True),
    Case("inbound.released", meta=(_CLOSED,), held=True),
    Case("inbound.released > store.committed", meta=(_CLOSED,), held=True),
    Case("errand.stopped", armed="answer", meta=({"match": "messages", "delay": 60},), stopped=True),
]
CASES = [*STARTING, *ACCEPTING, *TALKING, *STEPPING, *ERRANDING, *WITHIN, *FAILING]

ELSEWHERE = {
    "key.written": "tests/e2e/test_key_rotation.py",
    "key.batch": "tests/e2e/test_key_rotation.py",
    "person.erased": "tests/e2e/test_operators.py",
}
"""Points that no service passes but an operator's command, and where it is killed there."""


class Lanes:
    """The stories of all tests that were asked for, several at a time; a test waits for its own."""

    def __init__(self, lanes: list[Lane], cases: list[Case]) -> None:
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for lane in lanes:
            self._free.put(lane)
        self._numbers = itertools.count(100_001)
        self._pool = ThreadPoolExecutor(len(lanes))
        self._told: dict[str, Future[str]] = {
            str(case): self._pool.submit(self._tell, case) for case in cases
        }

    def _tell(self, case: Case) -> str:
        """What went wrong, "" when nothing did."""
        lane = self._free.get()
        try:
            story = Story(lane, case, next(self._numbers))
            try:
                story.tell()
                story.audit()
            except Exception as error:
                return f"{type(error).__name__}: {error}\n{story.evidence()}"
            finally:
                story.close()
            return ""
        finally:
            self._free.put(lane)

    def result(self, case: Case) -> str:
        return self._told[str(case)].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def lanes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    asked = [
        item.callspec.params["case"]
        for item in request.session.items
        if item.nodeid.startswith(request.node.nodeid)
        and isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
    ]
    folder = tmp_path_factory.mktemp("lanes")
    made: list[Lane] = []
    try:
        made += [Lane(folder / f"lane-{n}") for n in range(min(LANES, len(asked)))]
        stories = Lanes(made, asked)
        yield stories
        stories.close()
    finally:
        for lane in made:
            lane.close()


IN_THE_GATE = 12
"""Every so many-th is killed in the gate, on real processes; the simulation dies at every commit and every call."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[pytest.mark.long] if n % IN_THE_GATE else []) for n, c in enumerate(CASES)],
    ids=str,
)
@pytest.mark.timeout(300)
def test_killed_there_nothing_is_lost_doubled_or_leaked(lanes: Lanes, case: Case) -> None:
    wrong = lanes.result(case)
    assert not wrong, wrong


def test_no_story_is_told_twice() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


def _killed() -> set[tuple[str, str]]:
    return {(name, kind) for case in CASES for name, kind, _ in crash.parse(case.crash)[-1:]} | {
        (name, kind)
        for case in CASES
        if "store.committed" in case.crash
        for name, kind, _ in crash.parse(case.crash)
    }


def test_the_program_is_killed_at_every_point() -> None:
    assert {name for name, _ in _killed()} | set(ELSEWHERE) == set(crash.POINTS)
    for name, file in ELSEWHERE.items():
        assert f'crash="{name}' in (ROOT / file).read_text(encoding="utf-8"), (
            f"{file} does not kill at {name}"
        )


def test_every_kind_of_work_is_killed_at_every_moment_of_it() -> None:
    killed = _killed()
    steps = {("step.done", kind) for kind in STEPS}
    errands = {
        (f"errand.{moment}", kind)
        for kinds in ERRANDS.values()
        for kind in kinds
        for moment in ("claimed", "called", "ending")
    }
    assert not (steps | errands) - killed
