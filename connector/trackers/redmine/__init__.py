"""Redmine 5 and newer over its REST API, with python-redmine on an engine of our own that has deadlines.

adapter.py  the port; the only thing others use, with config.py
create.py   one ticket, compared with what was asked
write.py    files and private notes, safe to repeat
feed.py     what moved since a cursor
view.py     a ticket as the core sees it
names.py    names to ids
check.py    what `connector check` asks; rehearsal.py what it tries
survey.py   what `connector init` finds to choose from
http.py     the engine
"""

from .adapter import RedmineTracker
from .config import Config

__all__ = ["Config", "RedmineTracker"]
