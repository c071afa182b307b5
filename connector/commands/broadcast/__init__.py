"""``connector broadcast``: news and alerts to the subscribers.

cli.py     the commands            newsroom.py  what they do, in the database
screen.py  what they print
"""
