"""The operations page: what waits, what failed and why, the health of number, templates and tracker.

    session.py   who may see it: password, cookie, CSRF token, pace of logging in
    board.py     what there is to see, from the database
    words.py     its texts (texts/CODE.toml), and which language a browser asks for
    routes.py    the addresses
    pages/       HTML (Jinja2) and the one stylesheet; there is no script

It shows kinds, counts, times, references and our own sentences: no message, no number, no name of a citizen.
"""

from .routes import Ops

__all__ = ["Ops"]
