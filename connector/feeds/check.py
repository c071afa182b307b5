"""``connector check``, online: whether each source of a mapping answers, and with what it should."""

from __future__ import annotations

import asyncio
import time

from connector.core.errors import ConnectorError, Finding
from connector.core.information import Page
from connector.core.ports import Tracker
from connector.core.town import Town

from .fetching import Fetcher
from .looking import look

_MENDS = {
    "feed": "open the address in a browser: is it the feed (RSS or Atom), not the page that lists the news?",
    "calendar": "open the address in a browser: it has to download a calendar (iCalendar, .ics)",
    "web": "open the address in a browser",
    "tracker-news": "switch on the project's module News, and let the connector's role see it",
    "tracker-wiki": "is the name the one in the page's address? The project needs its module Wiki",
}


async def findings(town: Town, tracker: Tracker, fetcher: Fetcher) -> list[Finding]:
    """One warning for each source that cannot be shown; all are asked at once. The service runs without them."""
    asked = [_one(i, page, town, tracker, fetcher) for i, page in enumerate(town.pages) if page.remote]
    return [finding for finding in await asyncio.gather(*asked) if finding is not None]


async def _one(i: int, page: Page, town: Town, tracker: Tracker, fetcher: Fetcher) -> Finding | None:
    try:
        found = await look(page, town, tracker, fetcher, time.time())
        problem = "" if found.items else "it has no items at the moment"
        mend = "nothing to do when that is so; the page says that nothing is published"
    except ConnectorError as error:
        problem, mend = str(error), _MENDS[page.source]
        if "private address" in problem:
            mend = "if that is meant, write its host into feeds.private_hosts of the settings"
    key = "feed" if page.feed else "source"
    return Finding("warning", problem, mend, key=f"pages[{i}].{key}") if problem else None
