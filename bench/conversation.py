"""Whole steps of conversation: a webhook in, the new state and what follows stored, the reply sent to a WhatsApp that
takes it at once."""

from __future__ import annotations

from ._report import Options, Section
from ._stage import POSTGRES, Server, connector
from .webhooks import CONNECTIONS, NOWHERE

STORY = ["Hola", "@consent:yes", "@menu:mailbox", "@menu:home", "@menu:councillor", "@menu:home"]
"""One reply to each."""


def measure(options: Options) -> Section:
    section = Section("Whole conversation steps")
    people = options.of(400, 5)
    with connector(NOWHERE, "sqlite") as working, connector(NOWHERE, "sqlite", idle=True) as idle:
        ours, base, cost = [], [], []
        for _ in range(options.rounds):
            before = working[0].cpu()
            ours.append(steps(working, people))
            cost.append((working[0].cpu() - before) / (people * len(STORY)) * 1000)
            seen = idle[0].load(
                count=people * len(STORY), people=people, story=STORY, connections=CONNECTIONS
            )
            base.append(seen["answered"] / seen["seconds"])
        section.versus("steps/s on SQLite", ours, "/s", "taken in only", base, None)
        section.figure("steps/s on SQLite", ours, "/s", "≥ 1\u202f000", lambda v: v >= 1000)
        section.figure(
            "processor time of a step, with the message and the blue ticks sent for it", cost, "ms"
        )
    section.notes.append(
        "A step is a webhook, a transaction, and two calls of WhatsApp over HTTP (the message, «read»). One process holds an "
        "embedded database, and Python uses one core of it: 1 000 a second would leave 1 ms for all of that. The two "
        "calls alone take most of one in httpx; the number itself may send 80 a second (CLOUD-API.md 5)."
    )
    if POSTGRES:
        with (
            connector(NOWHERE, "postgresql") as one,
            connector(NOWHERE, "postgresql", replicas=2) as two,
        ):
            single, double = [], []
            for _ in range(options.rounds):
                single.append(steps(one, people))
                double.append(steps(two, people))
            section.versus("steps/s, two replicas on PostgreSQL", double, "/s", "one replica", single, 1.0)
    return section


def steps(servers: list[Server], people: int) -> float:
    """Replies a second from the first webhook to the last reply. Replicas share the people between them."""
    count = people * len(STORY)
    # fewer connections than people: nobody writes again before what they wrote was taken in
    seen = servers[0].load(
        count=count, people=people, story=STORY, connections=min(CONNECTIONS, people - 1), replies=count, seconds=120,
        ports=[server.port for server in servers], api_port=servers[0].api_port,
    )  # fmt: skip
    assert seen["taken"] >= count, f"{seen['taken']} of {count} replies came: {seen['codes']}"
    return float(seen["taken"] / seen["seconds"])
