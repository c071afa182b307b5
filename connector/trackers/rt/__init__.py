"""Request Tracker 5 over its REST2 interface, which is part of it.

adapter.py  the port; the only thing others use, with config.py
create.py   one ticket, compared with what was asked
write.py    files, comments, status and watchers, safe to repeat
feed.py     what moved since a cursor: transactions by their number
view.py     a ticket as the core sees it
names.py    queues, fields and people
check.py    what `connector check` asks; survey.py what `connector init` finds to choose from
http.py     sessions, tokens, JSON

A queue is the mapping's ``project``. How the rest of a route is said in RT: docs/trackers/rt.md.
"""

from .adapter import RequestTracker
from .config import Config

__all__ = ["Config", "RequestTracker"]
