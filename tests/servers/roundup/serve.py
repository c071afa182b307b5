"""Serve one Roundup tracker on loopback (``roundup-server`` refuses to run as root).

serve.py HOME PORT
"""

import sys

from roundup.cgi.wsgi_handler import RequestDispatcher
from waitress import serve

home, port = sys.argv[1:]
serve(RequestDispatcher(home), host="127.0.0.1", port=int(port), threads=8)
