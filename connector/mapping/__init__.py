"""``mappings/NAME.toml``, read into a ``Town`` (``core/town.py``).

load.py       reads it and asks the others what they find
rules.py      references, languages, addresses, routes     screens.py    what citizens see and type
pages.py      pages, sources, offices, alerts              topics.py     topics, their templates, broadcasts
texts.py      texts that are replaced                      open_data.py  what is published
"""

from .load import load, look, read

__all__ = ["load", "look", "read"]
