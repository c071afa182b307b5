"""Roundup (https://www.roundup-tracker.org), by its REST interface. How it is meant: docs/trackers/roundup.md.

adapter.py   the port            http.py     calls, ETags and what their answers mean
config.py    settings            names.py    people, places, statuses by name, and who we are
create.py    new tickets         write.py    files, internal notes, flags
view.py      a ticket, whole     feed.py     what moved
check.py     ``connector check`` survey.py   ``connector init``
"""

from .adapter import RoundupTracker
from .config import Config

__all__ = ["Config", "RoundupTracker"]
