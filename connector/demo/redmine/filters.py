"""Lists of issues: filters in both forms, their traps, order.

The short form (``cf_2=value``) reads operators off the value's beginning and splits it at ``|``; the long
form (``f[]``, ``op[]``, ``v[]``) does neither and drops the default «open only». A filter that does not exist,
or that the person may not see, is ignored: everything comes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import rights, texts
from .casting import integer
from .drafting import Person
from .model import CustomField, Database, Issue, Project
from .moments import moment, span

_OPERATORS = {
    "list": ("=", "!"),
    "list_status": ("o", "=", "!", "c", "*"),
    "list_optional": ("=", "!", "!*", "*"),
    "date": (
        "=", ">=", "<=", "><", "<t+", ">t+", "><t+", "t+", "nd", "t", "ld", "nw", "w", "lw", "l2w", "nm", "m", "lm",
        "y", ">t-", "<t-", "><t-", "t-", "!*", "*",
    ),
    "date_past": (
        "=", ">=", "<=", "><", ">t-", "<t-", "><t-", "t-", "t", "ld", "w", "lw", "l2w", "m", "lm", "y", "!*", "*",
    ),
    "string": ("~", "=", "!~", "!", "^", "$", "!*", "*"),
    "text": ("~", "!~", "^", "$", "!*", "*"),
    "integer": ("=", ">=", "<=", "><", "!*", "*"),
    "float": ("=", ">=", "<=", "><", "!*", "*"),
    "tree": ("=", "~", "!*", "*"),
}  # fmt: skip
"""What each type of filter knows (Redmine 5.0)."""
_WITHOUT_VALUE = {"o", "c", "!*", "*", "nd", "t", "ld", "nw", "w", "lw", "l2w", "nm", "m", "lm", "y"}
_PEOPLE = ("assigned_to_id", "author_id", "watcher_id", "updated_by", "last_updated_by")
Test = Callable[[Issue], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    kind: str
    operator: str
    values: list[str]


class Query:
    """The filters of one request. ``errors`` is filled where a value is not possible."""

    def __init__(
        self, db: Database, by: Person, project: Project | None, parameters: list[tuple[str, str]]
    ) -> None:
        self._db, self._by, self._project = db, by, project
        self._kinds = self._available()
        self._given = dict(parameters)
        self.errors: list[str] = []
        wanted = self._long(parameters)
        self.filters = wanted if wanted is not None else self._short()
        for one in self.filters:
            self._check(one)

    # --- reading ----------------------------------------------------------------------------------

    def _available(self) -> dict[str, str]:
        """Filter name -> type, for this person and project."""
        kinds = {"status_id": "list_status"}
        if self._project is None:
            kinds["project_id"] = "list"
        else:
            kinds["category_id"] = "list_optional"
        kinds |= dict.fromkeys(("tracker_id", "priority_id", "author_id"), "list")
        kinds["assigned_to_id"] = "list_optional"
        kinds |= dict.fromkeys(("subject", "description", "notes", "attachment"), "text")
        kinds |= dict.fromkeys(("created_on", "updated_on", "closed_on"), "date_past")
        kinds |= dict.fromkeys(("start_date", "due_date"), "date")
        kinds |= {"estimated_hours": "float", "done_ratio": "integer", "issue_id": "integer"}
        kinds |= dict.fromkeys(("parent_id", "child_id"), "tree")
        kinds |= dict.fromkeys(("updated_by", "last_updated_by"), "list")
        if rights.may_somewhere(self._db, self._by.user, "set_issues_private"):
            kinds["is_private"] = "list"
        if self._by.user is not None:
            kinds["watcher_id"] = "list"
        formats = {"list": "list_optional", "string": "string", "float": "float"}
        for custom in self._db.fields.values():
            if rights.sees_field(self._db, self._by.user, custom, None):
                kinds[f"cf_{custom.id}"] = formats[custom.field_format]
        return kinds

    def _long(self, parameters: list[tuple[str, str]]) -> list[Filter] | None:
        names = [v for k, v in parameters if k in ("f[]", "fields[]")]
        if not names:
            return None
        operators = {k[3:-1]: v for k, v in parameters if k.startswith("op[")}
        found = []
        for name in names:
            values = [v for k, v in parameters if k == f"v[{name}][]"]
            if name in self._kinds and name in operators:
                found.append(Filter(name, self._kinds[name], operators[name], values or [""]))
        return found

    def _short(self) -> list[Filter]:
        found = {"status_id": Filter("status_id", "list_status", "o", [""])}
        for name, kind in self._kinds.items():
            if name in self._given:
                found[name] = _short_filter(name, kind, self._given[name])
        return list(found.values())

    def _check(self, one: Filter) -> None:
        if one.kind == "integer":
            wrong = any(v and not re.match(r"\A[+-]?\d+(,[+-]?\d+)*\Z", v) for v in one.values)
        elif one.kind == "float":
            wrong = any(v and not re.match(r"\A[+-]?\d+(\.\d*)?\Z", v) for v in one.values)
        elif one.kind in ("date", "date_past") and one.operator in ("=", ">=", "<=", "><"):
            wrong = any(v and moment(v) is None for v in one.values)
        elif one.kind in ("date", "date_past") and one.operator[-2:] in ("t-", "t+"):
            wrong = any(v and not v.isdigit() for v in one.values)
        else:
            wrong = False
        if wrong:
            self.errors.append(self._label(one.name, "invalid"))
        if not one.values[0].strip() and one.operator not in _WITHOUT_VALUE:
            self.errors.append(self._label(one.name, "blank"))

    def _label(self, name: str, what: str) -> str:
        custom = self._db.fields.get(integer(name[3:])) if name.startswith("cf_") else None
        short = name.removesuffix("_id")
        return texts.problem(short, what, self._by.language, named=custom.name if custom else "")

    # --- finding ----------------------------------------------------------------------------------

    def found(self) -> list[Issue]:
        """The issues in sight that pass every filter, in the order asked for (newest id first by default)."""
        tests = [self._test(one) for one in self.filters]
        hits = [
            issue
            for issue in self._db.issues.values()
            if (self._project is None or issue.project_id == self._project.id)
            and all(test(issue) for test in tests)
            and rights.sees_issue(self._db, self._by.user, issue)
        ]
        return self._sorted(hits)

    def _test(self, one: Filter) -> Test:
        name, operator, values = one.name, one.operator, self._resolved(one)
        db = self._db
        if name.startswith("cf_"):
            custom = db.fields[integer(name[3:])]
            return lambda issue: (
                self._custom(custom, issue)
                and _compare(one.kind, operator, values, issue.values.get(custom.id) or None)
            )
        if name == "status_id" and operator in ("o", "c"):
            return lambda issue: db.statuses[issue.status_id or 0].is_closed is (operator == "c")
        if name == "issue_id" and operator == "=":
            ids = {int(i) for i in re.findall(r"\d+", values[0])}
            return lambda issue: issue.id in ids
        if name in ("created_on", "updated_on", "closed_on", "start_date", "due_date"):
            return self._date_test(name, operator, values)
        if name == "watcher_id":
            return lambda issue: bool({str(w) for w in issue.watchers} & set(values)) is (operator == "=")
        if name in ("notes", "attachment", "updated_by", "last_updated_by", "child_id"):
            return lambda issue: any(_compare(one.kind, operator, values, v) for v in self._many(name, issue))
        attribute = "id" if name == "issue_id" else name
        return lambda issue: _compare(one.kind, operator, values, _plain(getattr(issue, attribute)))

    def _custom(self, custom: CustomField, issue: Issue) -> bool:
        """A hidden field finds only where the person sees it."""
        return rights.sees_field(self._db, self._by.user, custom, self._db.projects[issue.project_id or 0])

    def _resolved(self, one: Filter) -> list[str]:
        """Values with ``me`` replaced; for an assignee ``me`` is also one's groups."""
        user = self._by.user
        if one.name not in _PEOPLE or "me" not in one.values:
            return one.values
        mine = [str(user.id)] if user else ["0"]
        if user and one.name in ("assigned_to_id", "watcher_id"):
            mine += [str(g) for g in user.groups]
        return [v for v in one.values if v != "me"] + mine

    def _many(self, name: str, issue: Issue) -> list[str | None]:
        db, user = self._db, self._by.user
        seen = [j for j in db.journals_of(issue.id) if rights.sees_journal(db, user, j)]
        if name == "notes":
            return [j.notes for j in seen] or [None]
        if name == "attachment":
            return [a.filename for a in db.attachments_of(issue.id)] or [None]
        if name == "child_id":
            return [str(c.id) for c in db.children_of(issue.id)] or [None]
        authors: list[str | None] = [str(j.user_id) for j in seen]
        return (authors[-1:] if name == "last_updated_by" else authors) or [None]

    def _date_test(self, name: str, operator: str, values: list[str]) -> Test:
        if name == "updated_on" and operator in ("*", "!*"):
            return lambda issue: (issue.updated_on > issue.created_on) is (operator == "*")
        if operator in ("*", "!*"):
            return lambda issue: (getattr(issue, name) is not None) is (operator == "*")
        after, until = span(operator, values, self._by.now)

        def test(issue: Issue) -> bool:
            at = getattr(issue, name)
            if at is None:
                return False
            if not isinstance(at, datetime):
                at = datetime.combine(at, datetime.min.time(), self._by.now.tzinfo)
            return (after is None or at > after) and (until is None or at <= until)

        return test

    def _sorted(self, issues: list[Issue]) -> list[Issue]:
        ordered = sorted(issues, key=lambda issue: -issue.id)
        keys = [part.partition(":") for part in self._given.get("sort", "").split(",")]
        for name, _, direction in reversed([k for k in keys if self._sortable(k[0])][:3]):
            ordered.sort(key=lambda issue, n=name: self._sort_key(n, issue), reverse=direction == "desc")  # type: ignore[misc]
        return ordered

    def _sortable(self, name: str) -> bool:
        return name in _SORT or (name.startswith("cf_") and name in self._kinds)

    def _sort_key(self, name: str, issue: Issue) -> tuple[bool, Any]:
        if name.startswith("cf_"):
            value: Any = issue.values.get(integer(name[3:])) or ""
        else:
            value = _SORT[name](self._db, issue)
        return (value is not None, "" if value is None else value)


def _name(kind: str, attribute: str) -> Callable[[Database, Issue], Any]:
    def read(db: Database, issue: Issue) -> Any:
        record = getattr(db, kind).get(getattr(issue, attribute) or 0)
        return record.name if record else None

    return read


def _attribute(attribute: str) -> Callable[[Database, Issue], Any]:
    return lambda _db, issue: getattr(issue, attribute)


_SORT: dict[str, Callable[[Database, Issue], Any]] = {
    name: _attribute(name)
    for name in (
        "id", "subject", "created_on", "updated_on", "closed_on", "start_date", "due_date", "done_ratio",
        "estimated_hours", "is_private",
    )
} | {
    "tracker": _attribute("tracker_id"), "status": _attribute("status_id"), "priority": _attribute("priority_id"),
    "project": _name("projects", "project_id"), "category": _name("categories", "category_id"),
    "author": _name("principals", "author_id"), "assigned_to": _name("principals", "assigned_to_id"),
}  # fmt: skip
"""Sort keys; trackers, statuses and priorities stand in the order of their ids."""


def _short_filter(name: str, kind: str, expression: str) -> Filter:
    for operator in sorted(_OPERATORS[kind], reverse=True):
        if expression.startswith(operator):
            rest = expression[len(operator) :]
            return Filter(name, kind, operator, _split(rest) if rest.strip() else [""])
    return Filter(name, kind, "=", _split(expression))


def _split(values: str) -> list[str]:
    return values.rstrip("|").split("|")


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return "1" if value else "0"
    return None if value is None else str(value)


def _compare(kind: str, operator: str, values: list[str], actual: str | None) -> bool:
    """One value against a filter; comparisons of texts with ``~ ^ $`` take no notice of case."""
    if operator == "*":
        return actual is not None and actual != ""
    if operator == "!*":
        return actual is None or actual == ""
    if operator == "!":
        return actual is None or actual not in values
    if operator == "!~":
        return actual is None or not _contains(values[0], actual)
    if actual is None:
        return False
    if kind in ("integer", "float") and operator in ("=", ">=", "<=", "><"):
        return _number(operator, values, float(actual))
    if operator == "~" and kind != "tree":
        return _contains(values[0], actual)
    if operator == "^":
        return actual.lower().startswith(values[0].lower())
    if operator == "$":
        return actual.lower().endswith(values[0].lower())
    return actual in values


def _number(operator: str, values: Iterable[str], actual: float) -> bool:
    numbers = [float(v.partition(",")[0]) for v in values]
    if operator == "=":
        return abs(actual - numbers[0]) <= 1e-5
    low = numbers[0] if operator in (">=", "><") else float("-inf")
    high = {"<=": numbers[0], "><": numbers[-1]}.get(operator, float("inf"))
    return low <= actual <= high


def _contains(wanted: str, actual: str) -> bool:
    """All words of ``wanted`` (quoted phrases whole, at most five) somewhere in the text."""
    words = [a or b for a, b in re.findall(r'"([^"]+)"|(\S+)', wanted)]
    words = [w for w in words if len(w) > 1][:5] or [wanted]
    return all(word.lower() in actual.lower() for word in words)
