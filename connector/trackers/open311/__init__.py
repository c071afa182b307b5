"""Open311 GeoReport v2 as a client: https://wiki.open311.org/GeoReport_v2/, with mySociety's extension for updates.

adapter.py   the port; the only thing others use, with config.py
create.py    one service request, compared with what was asked
feed.py      what moved since a cursor: requests are compared, updates are asked for by time
view.py      a request as the core sees it
services.py  services and their attributes
check.py     what `connector check` asks
http.py      calls, keys, errors; xml.py reads what comes as XML

A service (``service_code``) is the mapping's ``project``. What else a route says, and what the standard has no
word for: docs/trackers/open311.md.
"""

from .adapter import Open311Tracker
from .config import Config

__all__ = ["Config", "Open311Tracker"]
