"""django-helpdesk (2.6 and later) over the REST API that is part of it.

adapter.py  the port; the only thing others use, with config.py
create.py   one ticket, compared with what was asked
write.py    files, internal notes and status, safe to repeat
feed.py     what moved since a cursor: follow-ups by their date, and tickets compared with what they were
tickets.py  tickets as the API gives them, asked so that it costs the server least
view.py     a ticket as the core sees it
names.py    queues, people, statuses and fields
markup.py   citizens' words in its Markdown
check.py    what `connector check` asks; survey.py what `connector init` finds to choose from
http.py     the key, JSON, files

A queue is the mapping's ``project``. How the rest of a route is said here: docs/trackers/django-helpdesk.md.
"""

from .adapter import HelpdeskTracker
from .config import Config

__all__ = ["Config", "HelpdeskTracker"]
