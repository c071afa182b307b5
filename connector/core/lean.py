"""A package of which few parts are used, without the rest of it in memory for ever."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def parts_only(package: str) -> None:
    """Let modules of ``package`` be imported one by one, without its own ``__init__``, which imports all of them.

    ``holidays.countries`` is 250 countries (9 MB), of which a town asks for one. A package that is loaded stays.
    """
    if package in sys.modules:
        return
    found = importlib.util.find_spec(package)
    if found is not None and found.submodule_search_locations is not None:
        bare = ModuleType(package)
        bare.__spec__, bare.__path__ = found, list(found.submodule_search_locations)
        sys.modules[package] = bare
