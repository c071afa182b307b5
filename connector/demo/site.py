"""The town's website in the demo: its feeds, its agenda, and the form with which the desk publishes.

    GET  /site/noticies.rss   RSS 2.0: what was published as news
    GET  /site/avisos.rss     RSS 2.0: notices; alerts have the category «Alerta»
    GET  /site/agenda.ics     iCalendar: a weekly market, a fair of whole days, an evening at an hour
    POST /desk/publish        JSON title, text, link, alert; X-Desk-User says who (see desk.py)

It speaks the protocols as a town's real website would, with ETag and Last-Modified, and keeps everything in memory.
"""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

ALERT = "Alerta"
TITLE, TEXT = 120, 1500
"""Longest parts of what is published, in characters."""
_PAGE = "https://www.example.org"
_ZONE = ZoneInfo("Europe/Madrid")
_MOST = 64 * 1024
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Published:
    """One piece on the website."""

    number: int
    title: str
    text: str
    link: str
    at: float
    alert: bool = False
    notice: bool = False


def _first(now: float) -> list[Published]:
    """What is on the website when the demo begins."""
    return [
        Published(
            1,
            "S’obren les inscripcions al Casal d’Hivern",
            "<p>Ja es poden fer les inscripcions al <strong>Casal d’Hivern</strong>, per a infants de 3 a 12 anys. "
            "Les places són limitades.</p><p>La inscripció es fa a la seu electrònica o, amb cita prèvia, a "
            "l’Oficina d’Atenció Ciutadana. Hi ha bonificacions per a famílies nombroses i monoparentals.</p>",
            f"{_PAGE}/noticies/casal-d-hivern",
            now - 4 * 3600,
        ),
        Published(
            2,
            "La biblioteca estrena horari de tarda",
            "<p>A partir de dilluns la biblioteca obre també les tardes de dimarts i dijous, de 16 a 20 h.</p>",
            f"{_PAGE}/noticies/biblioteca",
            now - 2 * _DAY,
        ),
        Published(
            3,
            "Comencen les obres del carrer de la Font",
            "<p>Les obres duraran unes sis setmanes. S’hi renovaran les voreres, l’enllumenat i el clavegueram; els "
            "veïns hi podran accedir sempre.</p>",
            f"{_PAGE}/noticies/carrer-de-la-font",
            now - 6 * _DAY,
        ),
        Published(
            4,
            "Tall d’aigua al barri de la Platja",
            "<p>Dijous, de 9 a 13 h, es tallarà l’aigua als carrers del Mar i de la Sorra per una reparació.</p>",
            f"{_PAGE}/avisos/tall-d-aigua",
            now - 20 * 3600,
            notice=True,
        ),
    ]


class Site:
    """The website. ``published`` is awaited after something was published."""

    def __init__(
        self,
        staff: Collection[str],
        published: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._staff = frozenset(staff)
        self._published = published
        self._clock = clock
        self._began = clock()
        self._pieces = _first(self._began)

    @property
    def routes(self) -> list[BaseRoute]:
        """What is served, and the desk's way to publish."""
        return [
            Route("/site/noticies.rss", self._news, methods=["GET"]),
            Route("/site/avisos.rss", self._notices, methods=["GET"]),
            Route("/site/agenda.ics", self._agenda, methods=["GET"]),
            Route("/desk/publish", self._publish, methods=["POST"]),
        ]

    def publish(self, title: str, text: str, link: str = "", alert: bool = False) -> Published:
        """Put something on the website."""
        number = max(p.number for p in self._pieces) + 1
        link = link or f"{_PAGE}/{'avisos' if alert else 'noticies'}/{number}"
        body = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n") if part.strip())
        made = Published(number, title, body, link, self._clock(), alert=alert, notice=alert)
        self._pieces.append(made)
        return made

    # --- what is served ----------------------------------------------------------------------------

    async def _news(self, request: Request) -> Response:
        return self._feed(request, "Notícies", [p for p in self._pieces if not p.notice])

    async def _notices(self, request: Request) -> Response:
        return self._feed(request, "Avisos", [p for p in self._pieces if p.notice])

    def _feed(self, request: Request, title: str, pieces: list[Published]) -> Response:
        items = "".join(map(_item, sorted(pieces, key=lambda p: -p.at)))
        document = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
            f"<title>Sant Cebrià de Vallalta: {title}</title><link>{_PAGE}</link>"
            f"<description>{title}</description>{items}</channel></rss>\n"
        )
        newest = max((p.at for p in pieces), default=self._began)
        return _document(request, document, "application/rss+xml; charset=utf-8", newest)

    async def _agenda(self, request: Request) -> Response:
        today = datetime.fromtimestamp(self._began, _ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        market = today - timedelta(days=(today.weekday() - 5) % 7)
        evening, fair = today + timedelta(days=2), today + timedelta(days=4)
        events = [
            _event("mercat", "Mercat setmanal", "Plaça de la Vila", _hour(market, 9), _hour(market, 14), "RRULE:FREQ=WEEKLY"),
            _event("contes", "L’hora del conte", "Biblioteca", _hour(today + timedelta(days=1), 17, 30), _hour(today + timedelta(days=1), 18, 30)),
            _event("concert", "Concert de la coral", "Església de Sant Cebrià", _hour(evening, 20), _hour(evening, 21, 30)),
            _event("fira", "Fira d’artesans", "Passeig del Mar", _date(fair, "DTSTART"), _date(fair + timedelta(days=2), "DTEND")),
        ]  # fmt: skip
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Ajuntament//Agenda//CA",
            *events,
            "END:VCALENDAR",
            "",
        ]
        return _document(request, "\r\n".join(lines), "text/calendar; charset=utf-8", self._began)

    # --- the desk ----------------------------------------------------------------------------------

    async def _publish(self, request: Request) -> Response:
        if request.headers.get("X-Desk-User", "") not in self._staff:
            return JSONResponse({"errors": ["The desk does not know this person."]}, 403)
        body = await request.body()
        try:
            given = json.loads(body) if len(body) <= _MOST else {}
            title, text, link = (str(given.get(name) or "").strip() for name in ("title", "text", "link"))
        except (ValueError, AttributeError):
            title = text = link = ""
        wrong = [
            name
            for name, bad in (
                ("title", not 0 < len(title) <= TITLE),
                ("text", not 0 < len(text) <= TEXT),
                ("link", bool(link) and not _is_web(link)),
            )
            if bad
        ]
        if wrong:
            return JSONResponse({"wrong": wrong}, 422)
        made = self.publish(title, text, link, bool(given.get("alert")))
        return JSONResponse({"number": made.number}, 201, background=BackgroundTask(self._tell))

    async def _tell(self) -> None:
        await asyncio.shield(self._published())


def _item(piece: Published) -> str:
    category = f"<category>{ALERT}</category>" if piece.alert else ""
    return (
        f"<item><title>{escape(piece.title)}</title><link>{escape(piece.link)}</link>"
        f'<guid isPermaLink="false">sant-cebria-{piece.number}</guid>{category}'
        f"<pubDate>{email.utils.formatdate(piece.at)}</pubDate>"
        f"<description>{escape(piece.text)}</description></item>\n"
    )


def _hour(day: datetime, hour: int, minute: int = 0) -> datetime:
    return day.replace(hour=hour, minute=minute)


def _date(day: datetime, name: str) -> str:
    return f"{name};VALUE=DATE:{day:%Y%m%d}"


def _event(
    uid: str, title: str, place: str, begins: datetime | str, ends: datetime | str, more: str = ""
) -> str:
    def line(at: datetime | str, name: str) -> str:
        return at if isinstance(at, str) else f"{name};TZID=Europe/Madrid:{at:%Y%m%dT%H%M%S}"

    lines = ["BEGIN:VEVENT", f"UID:{uid}@example.org", f"SUMMARY:{title}", f"LOCATION:{place}",
             line(begins, "DTSTART"), line(ends, "DTEND"), more, "END:VEVENT"]  # fmt: skip
    return "\r\n".join(x for x in lines if x)


def _document(request: Request, text: str, kind: str, changed: float) -> Response:
    """The document, or 304 when the one who asks has it."""
    content = text.encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {
        "ETag": etag,
        "Last-Modified": email.utils.formatdate(changed, usegmt=True),
        "Cache-Control": "no-cache",
    }
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=kind)


def _is_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(link) <= 500
    except ValueError:
        return False
