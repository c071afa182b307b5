"""The whole way: a citizen's phone, the real program as a process of its own, a Redmine, staff."""
