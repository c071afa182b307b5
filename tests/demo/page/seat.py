"""A browser in front of a stage, and what the tests do there again and again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from page_support import PNG, Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LIST = {
    "type": "list",
    "header": {"type": "text", "text": "Menú"},
    "body": {"text": "Què vols fer?"},
    "footer": {"text": "Servei automàtic"},
    "action": {
        "button": "Opcions",
        "sections": [
            {
                "rows": [
                    {"id": "menu:info", "title": "1. Informació"},
                    {"id": "menu:mayor", "title": "2. Alcaldia", "description": "Escriu a l'alcalde"},
                    {"id": "menu:incident", "title": "3. Incidència"},
                ]
            }
        ],
    },
}
BUTTONS = {
    "type": "button",
    "body": {"text": "L'envio?"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "draft:send", "title": "Envia"}},
            {"type": "reply", "reply": {"id": "draft:cancel", "title": "Cancel·la"}},
        ]
    },
}
DESCRIPTION = (
    "bq. <code>El fanal del carrer Major no s'encén.</code>\n<code>&lt;b&gt; <img src=x onerror=alert(1)></code>\n\n"
    "bq. <code>Fa una setmana.</code>\n\nLloc: <code>Carrer Major, 12</code>\n\nhttps://www.openstreetmap.org/?mlat=41.6"
)


class Seat:
    """A browser in front of a stage."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self.browser = browser
        self.stage = stage
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.expected: list[str] = []
        """Patterns of console errors that the test itself brings about."""
        self._contexts: list[Any] = []

    def open(self, width: int = 1440, height: int = 900, **options: Any) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale="ca", **options
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(self.stage.url)
        page.locator("html[data-ready]").wait_for(state="attached")
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        unexpected = [c for c in self.complaints if not any(re.search(p, c) for p in self.expected)]
        assert unexpected == []
        own = (self.stage.url, f"blob:{self.stage.url}")
        assert [url for url in self.requests if not url.startswith(own)] == []


def say(page: Page, words: str) -> None:
    page.fill("#words", words)
    page.press("#words", "Enter")


def row(page: Page, wamid: str) -> Any:
    return page.locator(f'[data-id="{wamid}"]')


def ticket(stage: Stage, subject: str, **more: Any) -> int:
    fields = [{"id": 2, "value": "PRV-7K3F-9Q"}, {"id": 4, "value": "41.6214"}, {"id": 5, "value": "2.5985"}]
    files = [stage.tickets.upload(PNG, "fanal.png", "image/png")]
    return stage.tickets.create(
        f"{subject} [PRV-7K3F-9Q]", DESCRIPTION, custom_fields=fields, uploads=files, category_id=4, **more
    )


def open_ticket(page: Page, number: int) -> Any:
    page.locator("#filters button[value=all]").click()
    page.locator(f'[data-ticket="{number}"]').click()
    page.locator(f"#ticket .number:text-is('#{number}')").wait_for()
    return page.locator("#ticket")
