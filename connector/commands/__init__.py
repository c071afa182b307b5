"""What each command of ``cli.py`` does, and how it is shown.

One file a command, a folder where it takes more. ``options.py`` is what several of them take, ``terminal.py`` where
they print, ``screen.py`` what; ``town_database.py`` is what those work on that change something while the service runs.
"""
