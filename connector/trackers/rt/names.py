"""RT's queues, fields and people: what the mapping says, looked up once and again on a miss.

An ordinary account sees the queues it has a right in with the custom fields of their tickets, and every person by
login or by name. Groups it finds only with the right SeeGroup.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from connector.core.errors import Forbidden, Gone, Rejected, Unavailable
from connector.trackers.similar import norm, pick

from .http import PAGE, WHO, Connection, any_of

KEEP_SECONDS = 300.0
"""So long what was looked up is believed; rights withdrawn in the meantime show as errors anyway."""


@dataclass(frozen=True)
class Queue:
    """A queue as our account sees it. ``called`` is how the mapping names it."""

    id: int
    name: str
    called: str
    lifecycle: str
    active: bool
    may_create: bool
    fields: Mapping[int, str]
    """Custom fields of its tickets."""


@dataclass(frozen=True)
class Who:
    """A person or a group. ``id`` is what RT shows of them on a ticket: the login, or a group's number."""

    id: str
    name: str
    group: bool = False

    @property
    def to_add(self) -> str:
        """As a watcher of a new ticket."""
        return f"group:{self.name}" if self.group else self.id


@dataclass
class _Kept:
    value: Any
    at: float = field(default_factory=time.monotonic)


class Names:
    """Looks names up over one connection, for all threads."""

    def __init__(self, connection: Connection, reference_field: str) -> None:
        self._http = connection
        self._reference_field = reference_field
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._showed: set[int] = set()

    def _keep(self, kind: str, key: str, load: Callable[[], Any], fresh: bool = False) -> Any:
        held = self._kept.get((kind, key))
        if held is None or fresh or time.monotonic() - held.at > KEEP_SECONDS:
            held = self._kept[(kind, key)] = _Kept(load())
        return held.value

    # --- who we are --------------------------------------------------------------------------------

    def me(self) -> str:
        """Our login, always asked: it is also the proof that the key still opens anything."""
        whose = self._http.user or self._http.token_owner
        if not whose:
            raise Forbidden("This is no authentication token of Request Tracker", code="http_401")
        user = self._http.get(f"/user/{quote(whose, safe='')}")
        self._kept[("me", "")] = _Kept(str(user["Name"]))
        return str(user["Name"])

    def me_lately(self) -> str:
        """Our login as it was asked lately."""
        held = self._kept.get(("me", ""))
        if held is not None and time.monotonic() - held.at <= KEEP_SECONDS:
            return str(held.value)
        return self.me()

    # --- queues ------------------------------------------------------------------------------------

    def queue(self, name: str, *, fresh: bool = False) -> Queue:
        """A queue by name or number. Raises ``Forbidden`` when our account does not see it, or there is none."""
        found: Queue = self._keep("queue", norm(name), lambda: self._load_queue(name), fresh)
        return found

    def _load_queue(self, name: str) -> Queue:
        try:
            row = self._http.get(f"/queue/{quote(name, safe='')}")
        except (Forbidden, Gone) as error:
            if error.code == "http_401":
                raise
            raise Forbidden(
                f"{WHO} does not show the queue «{name}» to us: wrong name, or no right there", code="queue"
            ) from None
        return Queue(
            id=int(row["id"]),
            name=str(row["Name"]),
            called=name,
            lifecycle=str(row.get("Lifecycle") or "default"),
            active=str(row.get("Disabled", "0")) != "1",
            may_create=any(link.get("ref") == "create" for link in row.get("_hyperlinks") or ()),
            fields={int(f["id"]): str(f["name"]) for f in row.get("TicketCustomFields") or ()},
        )

    def queue_of(self, ticket: Mapping[str, Any]) -> Queue | None:
        """A ticket's queue, ``called`` as the mapping does; None when our account does not see it."""
        number = int(ticket["Queue"]["id"])
        held = [kept.value for (kind, _), kept in list(self._kept.items()) if kind == "queue"]
        found: Queue | None = next((queue for queue in held if queue.id == number), None)
        if found is not None:
            return found
        try:
            row = self.queue(str(number))
        except Forbidden as error:
            if error.code == "http_401":
                raise
            return None
        found = replace(row, called=row.name)
        self._kept[("queue", norm(str(number)))] = _Kept(found)
        return found

    def queue_names(self) -> list[str]:
        """All queues our account sees."""
        return [str(row["Name"]) for row in self._http.rows("/queues/all", fields="Name")]

    def shows(self, queue: Queue) -> bool:
        """Whether we see a ticket of a queue: an empty list of what moved there proves something only then.

        Raises ``Forbidden`` when we saw some before and see none any more: the right ShowTicket was withdrawn.
        """
        held = self._kept.get(("shows", str(queue.id)))
        if held is not None and held.value and time.monotonic() - held.at <= KEEP_SECONDS:
            return True
        any_there = bool(self._http.some("/tickets", query=f"Queue = {queue.id}", per_page=1))
        if not any_there and queue.id in self._showed:
            raise Forbidden(
                f"{WHO} shows us no ticket of the queue «{queue.name}» any more: give our account the right "
                "ShowTicket back",
                code="show_ticket",
            )
        if any_there:
            self._showed.add(queue.id)
        self._kept[("shows", str(queue.id))] = _Kept(any_there)
        return any_there

    # --- fields ------------------------------------------------------------------------------------

    def field(self, queue: Queue, name: str, *, again: bool = True) -> int | None:
        """Number of a custom field of a queue's tickets, asking once more on a miss; None: it has none."""
        found = pick(name, queue.fields)
        if found is None and again:
            return self.field(self.queue(queue.called, fresh=True), name, again=False)
        return found

    def reference_condition(self) -> str:
        """How a ticket is searched for by our reference field, ready for «= 'value'».

        RT finds nothing, without a word, by a field that does not exist: so some queue must have it.
        """
        name = self._reference_field
        if not name:
            return ""

        def known() -> bool:
            queues = [str(row["id"]) for row in self._http.rows("/queues/all", fields="Name")]
            if not queues:
                raise Forbidden(f"{WHO} shows our account no queue any more", code="no_queue")
            return any(self.field(self._load_queue(q), name, again=False) is not None for q in queues)

        if not self._keep("reference", "", known) and not self._keep("reference", "", known, True):
            raise Unavailable(
                f"{WHO} has no custom field «{name}» in the queues we see, so a search by reference proves nothing. "
                "Make it, or correct tracker.reference_field in the mapping",
                code="filter_ignored",
            )
        return "'CF.{" + name.replace("'", "\\'") + "}'"

    def values(self, field_id: int) -> list[str] | None:
        """The values a field offers; None when it takes any, or our account may not see them (SeeCustomField)."""

        def load() -> list[str] | None:
            try:
                kind = str(self._http.get(f"/customfield/{field_id}").get("Type", ""))
                if kind not in ("Select", "Combobox"):
                    return None
                rows = self._http.rows(f"/customfield/{field_id}/values", fields="Name")
                return [str(row.get("Name") or row.get("name")) for row in rows]
            except (Forbidden, Gone, Rejected):
                return None

        return self._keep("values", str(field_id), load)  # type: ignore[no-any-return]

    # --- people ------------------------------------------------------------------------------------

    def person(self, name: str) -> Who | None:
        """Somebody by login, by the name RT shows, or by number; None when there is nobody, or there are several."""
        return self._keep("person", norm(name), lambda: self._load_person(name)) or self._keep(  # type: ignore[no-any-return]
            "person", norm(name), lambda: self._load_person(name), True
        )

    def watcher(self, name: str) -> Who | None:
        """A person; or a group, where our account may see it."""
        found = self.person(name)
        if found is not None:
            return found
        wanted = [{"field": "Name", "value": name}]
        groups = self._http.rows("/groups", query=json.dumps(wanted), fields="Name")
        hits = [g for g in groups if norm(str(g.get("Name"))) == norm(name)]
        return Who(str(hits[0]["id"]), str(hits[0]["Name"]), group=True) if len(hits) == 1 else None

    def _load_person(self, name: str) -> Who | None:
        try:
            row = self._http.get(f"/user/{quote(name, safe='')}")
            return Who(str(row["Name"]), str(row.get("RealName") or row["Name"]))
        except (Gone, Forbidden) as error:
            if error.code == "http_401":
                raise
        hits = [who for who in self.people("=", name) if norm(who.name) == norm(name)]
        return hits[0] if len(hits) == 1 else None

    def people(self, operator: str, name: str) -> list[Who]:
        """Those whose shown name is (``=``) or contains (``LIKE``) this, a hundred at most."""
        wanted = json.dumps([{"field": "RealName", "operator": operator, "value": name}])
        found = self._http.some("/users", query=wanted, fields="Name,RealName", per_page=PAGE)
        return [Who(str(r["Name"]), str(r.get("RealName") or r["Name"])) for r in found]

    # --- statuses ----------------------------------------------------------------------------------

    def closed(self, lifecycle: str, status: str, ticket_id: int) -> bool:
        """Whether tickets in that status are closed: RT says it of a ticket, not of a status."""

        def load() -> bool:
            query = f"id = {ticket_id} AND {any_of('Status', ['__Inactive__'])}"
            return bool(self._http.some("/tickets", query=query))

        return bool(self._keep("closed", f"{lifecycle}\x1f{status}", load))
