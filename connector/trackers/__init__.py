"""Ticket systems behind the port ``Tracker`` of ``connector/core/ports.py``, one system a file (or a few)."""
