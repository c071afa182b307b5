"""The demo's page: a citizen's phone on the left, the staff desk on the right. Plain files, no build step.

    static/index.html   the frame: header, tabs, phone, desk, viewer
    static/*.css        base.css (colours, controls), phone.css, desk.css
    static/app.js       joins the parts; the others are one subject each (see its head)

The page loads nothing from anywhere else and runs nothing that is written in the HTML itself; the
Content-Security-Policy below holds it to that, so a hostile text in a message or a ticket stays text.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
PREFIX = "/demo-page"
"""Where scripts and styles are served; the page itself is at ``/``."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # blob: is what the desk makes of attachments: they need a header that <img> cannot send.
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The files change with the program's version; asking each time is cheap on loopback.
    "Cache-Control": "no-cache",
}


class _Files(StaticFiles):
    """Static files with the page's headers."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(HEADERS)
        return response


async def _index(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", media_type="text/html", headers=HEADERS)


async def _icon(request: Request) -> Response:
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml", headers=HEADERS)


def page_routes() -> list[BaseRoute]:
    """Routes for ``/`` and the page's own files, each answer with a strict Content-Security-Policy."""
    return [
        Route("/", _index, methods=["GET"]),
        Route("/favicon.ico", _icon, methods=["GET"]),
        Mount(PREFIX, app=_Files(directory=STATIC), name="demo-page"),
    ]
