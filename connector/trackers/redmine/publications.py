"""Redmine's news and wiki, read only: ``GET /projects/X/news.json`` and ``/projects/X/wiki/PAGE.json``."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from connector.core.errors import Unavailable
from connector.core.ports import Publication
from connector.core.ticket import Markup

from .http import Connection
from .names import Names


class Publisher:
    """What our account may read of a project besides its issues: needs the module, and the right to see it."""

    def __init__(self, http: Connection, names: Names, markup: Markup) -> None:
        self._http = http
        self._names = names
        self._markup = markup

    def news(self, project: str, most: int) -> list[Publication]:
        """The newest news. A wrong key sees nothing: so our account is proven first."""
        self._names.me()
        where = self._names.project(project).id
        answer = self._http.get(f"/projects/{where}/news.json", [("limit", str(most))])
        rows = answer.get("news")
        if not isinstance(rows, list):
            raise Unavailable("Redmine's list of news is not what it should be", code="garbled")
        return [self._one(row) for row in rows]

    def _one(self, row: dict[str, Any]) -> Publication:
        summary, text = str(row.get("summary") or ""), str(row.get("description") or "")
        return Publication(
            f"news {int(row['id'])}",
            str(row.get("title") or ""),
            text or summary,
            _moment(row.get("created_on")),
            summary,
            self._markup,
        )

    def wiki(self, project: str, page: str) -> Publication:
        """The newest version of a wiki page, titled as Redmine writes it (``Horaris_d_estiu``)."""
        self._names.me()
        where = self._names.project(project).id
        answer = self._http.get(f"/projects/{where}/wiki/{quote(page, safe='')}.json")
        row = answer.get("wiki_page")
        if not isinstance(row, dict):
            raise Unavailable("Redmine's wiki page is not what it should be", code="garbled")
        title = str(row.get("title") or page)
        return Publication(
            f"wiki {title}",
            title.replace("_", " "),
            str(row.get("text") or ""),
            _moment(row.get("updated_on")),
            markup=self._markup,
        )


def _moment(value: Any) -> float:
    return datetime.fromisoformat(str(value)).timestamp()
