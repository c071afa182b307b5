"""Feeds, calendars and web pages of others: read, fetched, and survived."""
