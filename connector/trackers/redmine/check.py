"""What ``connector check`` asks a Redmine: login, rights, projects, trackers, people, fields, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.core.errors import ConnectorError, Finding, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import Routing
from connector.trackers.similar import did_you_mean

from .config import Config
from .names import Me, Names, Project

_NEVER = "cap-tiquet-no-te-aquesta-referencia"
_RIGHTS = {
    "view_issues": "View issues",
    "add_issues": "Add issues",
    "edit_issues": "Edit issues",
    "add_issue_notes": "Add notes",
    "view_private_notes": "View private notes",
    "set_notes_private": "Set notes as private",
}
_TOO_MUCH = (
    "add_project", "edit_project", "close_project", "manage_members", "manage_versions", "manage_categories",
    "delete_issues", "edit_issue_notes", "manage_repository", "manage_wiki",
)  # fmt: skip
"""Rights with which a stolen key could destroy what staff wrote, or let itself in elsewhere."""
IGNORED = "Redmine ignores a search by custom field {field}, so a ticket could be made twice"
USABLE = "it must exist for these trackers, be «used as a filter», and visible to our account's role"
_PAGE = re.compile(r"/(projects|issues|login|my|users|admin|news|activity|search)(/.*)?$")
_FEATURES = "Administration > Roles and permissions"


class Check:
    """One look at a Redmine."""

    def __init__(self, config: Config, names: Names, search: Callable[..., list[dict[str, Any]]]) -> None:
        self._config = config
        self._names = names
        self._search = search
        self._found: list[Finding] = []

    def run(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """All findings, each once. Raises ``Unavailable`` only."""
        try:
            me = self._names.me()
        except Unavailable as error:
            if error.code != "garbled":
                raise
            self._no_redmine(error)
            return self._found
        except Forbidden as error:
            self._login(error)
            return self._found
        except ConnectorError as error:
            self._no_redmine(error)
            return self._found
        if me.admin:
            self._add(
                "tracker.api_key",
                "the key is an administrator's: whoever gets hold of it owns the whole Redmine",
                "use an ordinary account with a role of its own",
                severity="warning",
            )
        for name in dict.fromkeys(r.project for _, r in routings):
            uses = [(key, r) for key, r in routings if r.project == name]
            self._project(me, name, uses)
        self._filter()
        return list(dict.fromkeys(self._found))

    def _no_redmine(self, error: ConnectorError) -> None:
        url = self._config.url
        page = _PAGE.search(url)
        mend = (
            f"that is a page of it; write {url[: page.start()]}"
            if page
            else "write the address at which staff see Redmine's first page"
        )
        why = {"http_404": "HTTP 404", "garbled": "a web page comes back"}.get(error.code, str(error))
        self._add("tracker.url", f"no Redmine answers at {url} ({why})", mend)

    def _login(self, error: Forbidden) -> None:
        if error.code == "http_403":  # asking for one's own account needs no right: verified on Redmine 5.0.4
            self._add(
                "tracker.url",
                "Redmine's REST API is disabled",
                "tick Administration > Settings > API > Enable REST web service",
            )
            return
        self._add(
            "tracker.api_key",
            "Redmine does not let us in: the key is wrong or was withdrawn, or the account is locked",
            "take the key from «My account» of the connector's own user",
        )

    def _project(self, me: Me, name: str, uses: Sequence[tuple[str, Routing]]) -> None:
        first = f"{uses[0][0]}.project"
        try:
            project = self._names.project(name, fresh=True)
        except (Forbidden, Gone):
            self._add(first, f"Redmine shows our account no project «{name}»", self._project_mend(name))
            return
        if not project.active:
            self._add(
                first, f"the project «{name}» is closed or archived: no ticket can be made", "reopen it"
            )
        if project.modules is not None and "issue_tracking" not in project.modules:
            self._add(
                first, f"the project «{name}» has no issue tracking", "enable it in the project's settings"
            )
        self._rights(me, project, first, uses)
        for key, routing in uses:
            self._routing(key, routing, project)

    def _project_mend(self, name: str) -> str:
        try:
            hint = did_you_mean(name, self._names.project_names())
        except (Forbidden, Gone, Rejected):
            hint = ""
        return "make the account a member of it, or correct the name" + (f"; {hint}" if hint else "")

    def _rights(self, me: Me, project: Project, key: str, uses: Sequence[tuple[str, Routing]]) -> None:
        if me.admin:
            return
        if project.id not in me.roles:
            self._add(
                key, f"our account is no member of «{project.name}»", "add it in the project's settings"
            )
            return
        rights = self._names.rights(project.id, fresh=True)
        if rights is None:
            self._add(
                key,
                f"Redmine does not show what our account may do in «{project.name}»: no internal notes",
                "let the connector's account see roles by the API",
                severity="warning",
            )
            return
        needed = dict(_RIGHTS)
        if any(r.watchers for _, r in uses):
            needed |= {"add_issue_watchers": "Add watchers", "view_issue_watchers": "View watchers list"}
        if any(r.private for _, r in uses) and "set_own_issues_private" not in rights:
            needed["set_issues_private"] = "Set issues public or private"
        for right, label in needed.items():
            if right not in rights:
                self._add(
                    key,
                    f"our account lacks the right «{label}» in «{project.name}»",
                    f"{_FEATURES} ({right})",
                )
        if spare := [right for right in _TOO_MUCH if right in rights]:
            self._add(
                "tracker.api_key",
                f"our account may do more than it needs in «{project.name}»: {', '.join(spare)}",
                f"give it a role of its own without them ({_FEATURES})",
                severity="warning",
            )

    def _routing(self, key: str, routing: Routing, project: Project) -> None:
        statuses = {i: n for i, (n, _) in self._names.statuses().items()}
        priorities = self._names.priorities()
        wishes: list[tuple[str, str, str, Mapping[int, str]]] = [
            ("tracker", "tracker", routing.tracker, project.trackers),
            ("assignee", "person", routing.assignee, project.people),
            ("category", "category", routing.category, project.categories),
            ("priority", "priority", routing.priority, priorities),
            ("status", "status", routing.status, statuses),
            *(("watchers", "person", w, project.people) for w in routing.watchers),
        ]
        for part, where, wanted, known in wishes:
            if not wanted:
                continue
            found = self._names.resolve(project, where, wanted, again=False)
            if found is None:
                place = "Redmine" if where in ("status", "priority") else f"the project «{project.name}»"
                what = {"person": "member"}.get(where, where)
                self._add(
                    f"{key}.{part}", f"{place} has no {what} «{wanted}»", did_you_mean(wanted, known.values())
                )
            elif part == "assignee" and found not in project.assignable:
                self._add(
                    f"{key}.{part}",
                    f"no issue can be assigned to «{wanted}»",
                    f"tick «Issues can be assigned to this role» ({_FEATURES})",
                )
        config = self._config
        own = (config.reference_field, config.latitude_field, config.longitude_field, config.address_field)
        fields = [(f"{key}.fields.{name}", name) for name, _ in routing.fields]
        fields += [("tracker", name) for name in own if name]
        for where_key, name in fields:
            if self._names.resolve(project, "field", name, again=False) is None:
                mend = (
                    did_you_mean(name, project.fields.values())
                    or "give its id (Administration > Custom fields)"
                )
                self._add(where_key, f"the custom field «{name}» is not known here", mend)

    def _filter(self) -> None:
        """The reference field must work as a filter: a search for what no ticket has must find nothing."""
        key = "tracker.reference_field"
        field_id = self._names.reference_id()
        if field_id is None:
            self._add(
                key,
                "there is no custom field for the reference; tickets are found by their subject only",
                "make a text field that is used as a filter, and give its id",
                severity="warning",
            )
            return
        try:
            rows = self._search(f"cf_{field_id}", "=", _NEVER, most=1)
        except Rejected:
            self._add(
                key,
                f"custom field {field_id} takes no text: it is a number or a date",
                "give the id of a text field",
            )
            return
        except (Forbidden, Gone):
            rows = [{}]
        if rows:
            self._add(key, IGNORED.format(field=field_id), USABLE)

    def _add(self, key: str, problem: str, mend: str = "", severity: str = "error") -> None:
        self._found.append(Finding(severity, problem, mend, key=key))
