"""New issues. Text first: nothing that was wished for keeps a request from becoming one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connector.core.errors import ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import Created, NewTicket
from connector.toolkit import crash
from connector.trackers import inert, similar

from .config import Config
from .http import Api
from .names import Directory, Names
from .view import Reader

LONGEST_TITLE = 255
_ADDRESS = re.compile(r"(?<=[-+=%/\w.])@(?=[\w.-])|(?<=www\.)(?=[\w-])", re.I)


class Maker:
    def __init__(self, api: Api, directory: Directory, reader: Reader, config: Config) -> None:
        self._api, self._directory, self._reader, self._config = api, directory, reader, config

    def create(self, ticket: NewTicket) -> Created:
        """See ``Tracker.create``."""
        routing, names = ticket.routing, self._directory.now()
        if routing.private:
            raise Rejected(
                "Roundup has no private tickets: give such requests a project that only those see who may"
            )
        project = self._directory.project(routing.project)
        if project is None:
            raise Forbidden(
                f"There is no project «{routing.project}» in Roundup, or our account may not see it"
            )
        wishes, dropped = self._wishes(ticket)
        bare: dict[str, Any] = {
            "title": inert.subject(ticket.subject, ticket.reference, LONGEST_TITLE),
            "messages": [self.message(_key(ticket.reference), self._text(ticket, names), names)],
            self._config.project_property: str(project),
        }
        if self._config.reference_field:
            bare[self._config.reference_field] = ticket.reference
        try:
            ticket_id = self._api.open_issue({**bare, **wishes})
        except (Rejected, Forbidden) as error:
            if not wishes or error.code == "http_401":
                raise
            # one of the wishes; Roundup says which only in words
            ticket_id = self._api.open_issue(bare)
        crash.point("create.posted")
        dropped += self._not_taken(ticket_id, {**bare, **wishes}, names)
        return Created(ticket_id, url(names, ticket_id), dropped=tuple(dropped))

    def find(self, reference: str) -> Created | None:
        """See ``Tracker.find``."""
        names, own = self._directory.now(), self._config.reference_field
        fields = ["title", "creator", own]
        filters = [("title", f"[{reference}]")]
        rows = self._api.listed("issue", filters, fields)
        if own:
            # «name:» asks for the whole value; a part of it is enough otherwise
            rows += self._api.listed("issue", [(f"{own}:", reference)], fields)
        if any(field not in row for row in rows for field in filter(None, fields)):
            raise Unavailable(
                "Roundup does not let our account see what it searches by; run `connector check`"
            )
        hits = {int(row["id"]) for row in rows if self._reader.reference(row, names) == reference}
        if hits:
            first, *others = map(str, sorted(hits))
            return Created(first, url(names, first), existed=True, duplicates=tuple(others))
        if not names.sees_issues and not self._directory.now(younger_than=0).sees_issues:
            raise Unavailable(
                "Our account sees no ticket at all in Roundup: none can be told from one out of sight"
            )
        return None

    def message(self, key: str, text: str, names: Names) -> str:
        """A message that no issue has yet and that is not public, by a key of ours: of an earlier try or a new one."""
        public = self._config.public_property
        fields = ["creator", "content", public]
        for row in self._api.listed("msg", [("messageid:", key)], [*fields, "messageid"], verbose=3):
            ours = row.get("messageid") == key and row.get("creator", {}).get("id") == names.me
            same = ours and row.get("content") == text and not row.get(public)
            if same and not self._api.listed("issue", [("messages", row["id"])], []):
                return str(row["id"])
        properties = {"content": text, "author": names.me, "date": ".", "messageid": key}
        return self._api.message(properties | ({public: False} if public else {}))

    # --- wishes ------------------------------------------------------------------------------------

    def _wishes(self, ticket: NewTicket) -> tuple[dict[str, Any], list[str]]:
        """What more the issue is to have, and what of it is not to be had."""
        routing, directory = ticket.routing, self._directory
        found: dict[str, Any] = {}
        dropped: list[str] = [f"tracker: {routing.tracker}"] if routing.tracker else []

        def wish(what: str, name: str, known: int | None, as_: str) -> None:
            if known is None:
                dropped.append(f"{what}: {name}")
            elif as_ in ("nosy", "keyword"):
                found.setdefault(as_, []).append(str(known))
            else:
                found[as_] = str(known)

        if routing.assignee:
            person = directory.resolve(lambda names: names.person(routing.assignee))
            wish("assignee", routing.assignee, person, "assignedto")
        for kind, name, as_ in (
            ("category", routing.category, "keyword"),
            ("priority", routing.priority, "priority"),
            ("status", routing.status, "status"),
        ):
            if name:
                wish(kind, name, directory.resolve(lambda n, k=as_, w=name: n.choice(k, w)), as_)  # type: ignore[misc]
        for watcher in routing.watchers:
            wish("watcher", watcher, directory.resolve(lambda n, w=watcher: n.person(w)), "nosy")  # type: ignore[misc]
        found |= {name: value for name, value in routing.fields if value}
        if ticket.places:
            place, own = ticket.places[0], self._config
            spots = zip((own.latitude_field, own.longitude_field), inert.coordinates(place), strict=True)
            found |= {name: value for name, value in spots if name}
            if own.address_field and (place.address or place.name):
                found[own.address_field] = inert.one_line(place.address or place.name, 255)
        return found, dropped

    def _not_taken(self, ticket_id: str, asked: Mapping[str, Any], names: Names) -> list[str]:
        """What was asked of a new issue and is not so, in words. Never raises: the issue is there."""
        try:
            row, _ = self._api.element("issue", ticket_id, asked, verbose=2)
        except ConnectorError as error:
            return (
                [] if not isinstance(error, Forbidden | Gone) else ["the ticket, out of our account's sight"]
            )
        return [self._said(k, v, names) for k, v in asked.items() if not _same(v, row.get(k))]

    def _said(self, name: str, value: Any, names: Names) -> str:
        """A property and its value, as the mapping calls them."""
        values = value if isinstance(value, list) else [value]
        if name in ("assignedto", "nosy"):
            what = "assignee" if name == "assignedto" else "watcher"
            return f"{what}: {', '.join(map(names.name_of, values))}"
        if name in names.choices:
            shown = [names.choices[name].get(int(v), v) for v in values]
            return f"{'category' if name == 'keyword' else name}: {', '.join(shown)}"
        return name if name in ("title", "messages") else f"{name}: {value}"

    def _text(self, ticket: NewTicket, names: Names) -> str:
        own = self._config
        said = inert.description(
            ticket, own.place_label, own.map_url, quiet=lambda text: quiet(text, names.classes)
        )
        return said.strip() or "-"  # an empty message is refused


def quiet(text: str, classes: Iterable[str]) -> str:
    """A citizen's words, of which Roundup's page makes no link: neither of addresses nor of «issue 12» and the like.

    How it finds them: ``hyper_re`` in roundup/cgi/templating.py.
    """
    item = "|".join(sorted(map(re.escape, classes), key=len, reverse=True))
    text = _ADDRESS.sub(lambda found: f"{found[0]}{inert.ZWSP}", inert.plain(text))
    return re.sub(rf"(?i)(?<![A-Za-z_])({item})(?=\s*\d)", rf"\1{inert.ZWSP}", text)


def url(names: Names, ticket_id: str) -> str:
    """Where staff see an issue."""
    return f"{names.home}issue{ticket_id}"


def _key(reference: str) -> str:
    return f"<{reference}@whatsapp-connector>"


def _same(asked: Any, found: Any) -> bool:
    """Whether a property has what was asked for. Links are shown with id and name, of lists more is no harm."""
    if isinstance(asked, list):
        return set(asked) <= {item["id"] for item in found or []}
    if isinstance(found, dict):
        return similar.norm(str(asked)) in (similar.norm(str(v)) for k, v in found.items() if k != "link")
    if isinstance(found, list):
        return any(_same(asked, item) for item in found)
    if isinstance(found, bool | int | float) and found is not None:
        return str(asked).strip().casefold() in _numbers(found) or _close(asked, found)
    return " ".join(str(asked).split()) == " ".join(str(found or "").split())


def _numbers(found: float) -> tuple[str, ...]:
    return (
        ("yes", "true", "on", "checked", "1")
        if found == 1
        else ("no", "false", "off", "0")
        if found == 0
        else ()
    )


def _close(asked: Any, found: float) -> bool:
    """A place in a database that keeps numbers in single precision is still that place."""
    try:
        return abs(float(asked) - float(found)) <= 1e-6 * max(1.0, abs(float(asked)))
    except (TypeError, ValueError):
        return False
