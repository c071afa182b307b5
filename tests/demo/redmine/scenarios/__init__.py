"""What is asked of a real Redmine and of the stand-in alike: one function a scenario, by name.

A scenario makes what it needs (issues, and its own projects and users where it takes rights away), so any
number may run on one server and none leaves the seed changed.
"""

from __future__ import annotations

from ..recorder import Scenario
from . import creating, files, filtering, notes, people, reference, sight

SCENARIOS: dict[str, Scenario] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in (people, reference, creating, notes, files, filtering, sight)
    for name, function in vars(module).items()
    if callable(function) and not name.startswith("_") and function.__module__ == module.__name__
}
