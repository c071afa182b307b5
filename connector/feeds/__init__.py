"""Public sources of information: fetched with limits, read in a process of their own, given back as items."""
