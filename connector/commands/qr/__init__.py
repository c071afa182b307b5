"""``connector qr``: the link, the code and the poster with which people start.

start.py   whose number it is, and the files       poster.py  draws them; ``fonts/`` is what it writes with
"""
