"""``connector person``: what is held about one person, its erasure, and what is forgotten by rule.

cli.py     the commands            desk.py  what they do, in the database
screen.py  what they print
"""
