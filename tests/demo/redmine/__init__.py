"""The Redmine stand-in, held against a real Redmine."""
