"""The fault campaign: the real program between citizens, staff, a bad network and SIGKILL; then the books."""
