"""``connector init``: a few questions, with answers that the tracker suggests; then settings, secrets and a mapping.

answers.py    what has to be known, and what follows from a name by itself
questions.py  asks for it, one question after the other, or takes it from flags alone
files.py      writes it down; *.j2 are the files, words.toml what they say to citizens
"""

from .answers import Answers, Given
from .files import written
from .questions import Talk, gather

__all__ = ["Answers", "Given", "Talk", "gather", "written"]
