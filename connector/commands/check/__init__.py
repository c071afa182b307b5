"""``connector check``: what keeps the service from running as it should.

everything.py  all of it, in an order in which one mistake leaves the next to be seen; what is asked of the tracker
files.py       settings, mapping and texts        secrets.py   how secrets are kept
machine.py     this machine: port, database       whatsapp.py  number, token, webhooks, templates, clock
media.py       the virus scanner
"""
