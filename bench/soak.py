"""Half an hour at ten times a large town's day.

A large town is one of 100 000 people of whom 500 write a request on a day: five messages from each and five to each,
every one of ours reported as sent and delivered, and staff answer. Ten such days pass in half an hour, in waves of a
minute: new people each time, some of them answered in the next.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter

from tests.e2e.way import KEYS, Staff

from ._report import Options, Section
from ._stage import connector, redmine

STORY = ["Hola", "@consent:yes", "@menu:mailbox", "El fanal de davant de casa no s'encén"]
WAVE = 60
ANSWERED = 40
"""Tickets of a wave that staff answer."""


def measure(options: Options) -> Section:
    section = Section("Half an hour at ten times a large town's day")
    waves, people, seconds = options.of(30, 2), options.of(167, 6), options.of(WAVE, 5)
    half, most, memory, codes = [], [], [], Counter[str]()
    with redmine() as url, connector(url, ready="/health/ready", statuses=True) as (server,):
        staff, answers = Staff(url, KEYS["alcalde"]), list[int]()
        idle = server.memory()
        for wave in range(waves):
            writing = threading.Thread(target=_answer, args=(staff, answers, min(ANSWERED, people)))
            writing.start()
            first = (wave + 1) * 10_000
            # «send» only once the summary is on the phone: it comes when a person has written nothing for a second
            for story, share in ((STORY, 0.75), (["@draft:send"], 0.25)):
                count = people * len(story)
                seen = server.load(
                    count=count, people=people, story=story, rate=count / (seconds * share), seconds=seconds * 4,
                    connections=min(16, people - 1), first_person=first,
                )  # fmt: skip
                codes.update(seen["codes"])
                half.append(seen["p50"] * 1000)
                most.append(seen["p99"] * 1000)
                time.sleep(2)
            writing.join()
            memory.append(server.memory())
        left = _rest(server.url)
        tickets = staff.http.get("/issues.json", params={"status_id": "*", "limit": "1"}).json()[
            "total_count"
        ]
        cpu, rows = server.cpu(), _count(server.url, "SELECT kind, outcome, count(*) FROM work GROUP BY 1, 2")
        sent = _count(server.url, "SELECT direction, state, count(*) FROM message GROUP BY 1, 2")
    sent_off = waves * people
    failed = sum(n for (_, outcome), n in rows.items() if outcome == "failed")
    out = sum(n for (direction, _), n in sent.items() if direction == "out")
    delivered = sum(
        n for (direction, state), n in sent.items() if direction == "out" and state in ("delivered", "read")
    )
    section.figure("requests sent − tickets in the tracker", [sent_off - tickets], "", "0", lambda n: n == 0)
    section.figure("rows that failed, or were left after it", [failed + left], "", "0", lambda n: n == 0)
    section.figure(
        "webhooks not answered with 200", [sum(codes.values()) - codes["200"]], "", "0", lambda n: n == 0
    )
    section.figure("messages to people, of which delivered", [out, delivered], "")
    section.figure("answers of staff", [len(answers)], "")
    section.figure("half of the webhooks wait less than", half, "ms", "≤ 5", lambda v: v <= 5)
    section.figure("99 of 100 webhooks wait less than", most, "ms", "≤ 50", lambda v: v <= 50)
    section.figure("resident memory before", [idle], "MB")
    section.figure("resident memory after each wave", memory, "MB")
    growth = memory[-1] - memory[len(memory) // 2]
    section.figure("of that grown in the second half", [growth], "MB", "≤ 2", lambda mb: mb <= 2)
    section.figure("processor time of the program", [cpu / (waves * seconds) * 100], "% of one core")
    section.notes.append((__doc__ or "").split("\n\n", 1)[1].strip().replace("\n", " "))
    return section


def _answer(staff: Staff, answers: list[int], most: int) -> None:
    """Public notes on the newest tickets that have none."""
    found = staff.http.get(
        "/issues.json", params={"status_id": "*", "limit": str(most), "sort": "id:desc"}
    ).json()
    for issue in found["issues"]:
        if issue["id"] not in answers:
            staff.write(issue["id"], "S'ha passat avís a la brigada")
            answers.append(issue["id"])


def _rest(url: str) -> int:
    """Rows that are still due when nothing has moved for a while; none, when all goes well."""
    left, before = -1, -2
    end = time.monotonic() + 120
    while left != 0 and time.monotonic() < end:
        before, left = left, sum(_count(url, _DUE).values())
        time.sleep(1 if left != before else 3)
    return left


_DUE = (
    "SELECT kind, 'open', count(*) FROM work WHERE ended_at IS NULL AND due_at < unixepoch() "
    "AND kind IN ('inbound', 'quiet', 'send', 'create', 'receipt', 'answer', 'status', 'note', 'report') GROUP BY 1"
)


def _count(url: str, statement: str) -> dict[tuple[str, str], int]:
    with sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=30) as db:
        return {(str(a), str(b)): int(n) for a, b, n in db.execute(statement)}
