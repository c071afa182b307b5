"""What ``connector check`` asks an RT: login, rights, queues, people, fields, in words.

REST2 does not tell what our account may do; it offers links for it: «create» on a queue, «comment» and the next
statuses on a ticket. What only shows on a ticket is looked at on the latest one of each queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.core.errors import ConnectorError, Finding, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import Routing
from connector.trackers.similar import did_you_mean, norm

from .config import Config
from .create import Creator
from .http import WHO, Connection
from .names import Names, Queue

_RIGHTS = "Admin > Queues > User rights"
_STATUSES = ("new", "open", "stalled", "resolved", "rejected")
"""What RT's own lifecycle has; of others it only tells what may follow."""


class Check:
    """One look at an RT."""

    def __init__(self, config: Config, connection: Connection, names: Names, creator: Creator) -> None:
        self._config = config
        self._http = connection
        self._names = names
        self._creator = creator
        self._found: list[Finding] = []

    def run(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """All findings, each once. Raises ``Unavailable`` only."""
        try:
            self._names.me()
        except Unavailable:
            raise
        except Forbidden as error:
            self._add("tracker.api_key", str(error), "compare it with the connector's own account in RT")
            return self._found
        except ConnectorError as error:
            self._add(
                "tracker.url", f"this is no {WHO} that answers as it should: {error}", "check tracker.url"
            )
            return self._found
        self._too_much()
        for name in dict.fromkeys(r.project for _, r in routings):
            self._queue(name, [(key, r) for key, r in routings if r.project == name])
        self._reference()
        return list(dict.fromkeys(self._found))

    def people(self, people: Sequence[tuple[str, str]]) -> list[Finding]:
        """Names that the mapping takes for somebody's, and nobody has."""
        for key, name in people:
            if not any(norm(who.name) == norm(name) for who in self._names.people("=", name)):
                self._nobody(key, name, "warning")
        return self._found

    def _too_much(self) -> None:
        """Only who administers people sees their memberships."""
        if "Memberships" in self._http.get("/user/Nobody"):
            self._add(
                "tracker.api_key",
                "our account administers users: whoever gets hold of the key owns the whole RT",
                "use an ordinary privileged account, with rights in its queues only",
                severity="warning",
            )

    def _queue(self, name: str, uses: Sequence[tuple[str, Routing]]) -> None:
        first = f"{uses[0][0]}.project"
        try:
            queue = self._names.queue(name, fresh=True)
        except (Forbidden, Gone):
            hint = did_you_mean(name, self._names.queue_names())
            mend = "give the account rights in it, or correct the name" + (f"; {hint}" if hint else "")
            self._add(first, f"RT shows our account no queue «{name}»", mend)
            return
        if not queue.active:
            self._add(first, f"the queue «{name}» is disabled: no ticket can be made", "enable it")
        latest = self._latest(queue)
        self._rights(queue, latest, first)
        for key, routing in uses:
            self._routing(key, routing, queue, latest)

    def _latest(self, queue: Queue) -> dict[str, Any]:
        """The latest ticket of a queue, {} when there is none, or we may not see it."""
        rows = self._http.some(
            "/tickets", query=f"Queue = {queue.id}", orderby="id", order="DESC", per_page=1
        )
        return self._http.get(f"/ticket/{rows[0]['id']}") if rows else {}

    def _rights(self, queue: Queue, latest: dict[str, Any], key: str) -> None:
        links = list(latest.get("_hyperlinks") or ())
        lacks = []
        if not queue.may_create:
            lacks.append("CreateTicket")
        if latest and not any(link.get("ref") == "comment" for link in links):
            lacks.append("CommentOnTicket")
        if (
            latest
            and not any(link.get("ref") == "lifecycle" for link in links)
            and latest["Status"] in ("new", "open")
        ):
            lacks.append("ModifyTicket")
        for right in lacks:
            self._add(key, f"our account lacks the right {right} in «{queue.name}»", f"{_RIGHTS} ({right})")
        if not latest:
            self._add(
                key,
                f"in «{queue.name}» we see no ticket: whether our account may see and comment them is not known",
                "make one there and check again",
                severity="warning",
            )

    def _routing(self, key: str, routing: Routing, queue: Queue, latest: dict[str, Any]) -> None:
        if routing.private:
            self._add(
                f"{key}.private",
                f"{WHO} has no private tickets",
                "give these requests a queue that only those see who may",
            )
        if routing.assignee and self._names.person(routing.assignee) is None:
            self._nobody(f"{key}.assignee", routing.assignee)
        for watcher in routing.watchers:
            if self._names.watcher(watcher) is None:
                self._nobody(f"{key}.watchers", watcher)
        if routing.priority and not self._creator.priority(routing.priority):
            self._add(
                f"{key}.priority",
                f"there is no priority «{routing.priority}»",
                f"{did_you_mean(routing.priority, self._config.priorities)} A number is taken as well; other names go "
                "into tracker.priorities",
            )
        if routing.status:
            self._status(f"{key}.status", routing.status, queue, latest)
        for part, value in (("tracker", routing.tracker), ("category", routing.category)):
            if value:
                mend = "take it out: a queue (project) or a custom field (fields) says it in RT"
                self._add(f"{key}.{part}", f"RT has no {part} of a ticket", mend)
        own = self._config
        for name, value in routing.fields:
            self._field(f"{key}.fields.{name}", queue, name, value)
        for field in (own.latitude_field, own.longitude_field, own.address_field):
            if field:
                self._field("tracker", queue, field)

    def _nobody(self, key: str, name: str, severity: str = "error") -> None:
        first = norm(name).split()[0] if name.split() else name
        near = [who.name for who in self._names.people("LIKE", first)]
        mend = did_you_mean(name, near) or "write the login or the name that RT shows"
        self._add(key, f"RT has no person «{name}» (and shows us no such group)", mend, severity)

    def _status(self, key: str, status: str, queue: Queue, latest: dict[str, Any]) -> None:
        links = [
            str(link.get("to")) for link in latest.get("_hyperlinks") or () if link.get("ref") == "lifecycle"
        ]
        known = {*links, *([str(latest["Status"])] if latest else []), *_STATUSES}
        if norm(status) not in map(norm, known):
            sure = queue.lifecycle == "default"
            problem = f"the queue «{queue.name}» has no status «{status}»" if sure else (
                f"whether the queue «{queue.name}» has a status «{status}» is not known"
            )  # fmt: skip
            self._add(key, problem, did_you_mean(status, sorted(known)), "error" if sure else "warning")

    def _field(self, key: str, queue: Queue, name: str, value: str = "") -> None:
        number = self._names.field(queue, name, again=False)
        if number is None:
            mend = did_you_mean(name, queue.fields.values()) or "apply it to the queue, and let us see it"
            problem = f"tickets in «{queue.name}» have no custom field «{name}»"
            self._add(key, problem, mend)
            return
        offered = self._names.values(number)
        if value and offered and norm(value) not in map(norm, offered):
            self._add(key, f"«{name}» has no value «{value}»", did_you_mean(value, offered))

    def _reference(self) -> None:
        """The search by reference must find something to search by."""
        key = "tracker.reference_field"
        if not self._config.reference_field:
            self._add(
                key,
                "there is no custom field for the reference; tickets are found by their subject only",
                "make one (one value, free text), apply it to the queues, and name it",
                severity="warning",
            )
            return
        try:
            self._names.reference_condition()
        except (Unavailable, Forbidden, Gone, Rejected) as error:
            self._add(key, str(error), "a ticket could be made twice")

    def _add(self, key: str, problem: str, mend: str = "", severity: str = "error") -> None:
        self._found.append(Finding(severity, problem, mend, key=key))
