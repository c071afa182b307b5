"""``connector init``: a few questions, with answers that the tracker suggests; then settings, secrets and a mapping.

cli.py        the command with its flags
answers.py    what has to be known, and what follows from a name by itself
questions.py  asks for it, one question after the other, or takes it from flags alone
files.py      writes it down; *.j2 are the files, words.toml what they say to citizens
"""
