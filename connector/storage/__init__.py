"""The database: tables, the store with its one writer, the work table. All SQL lives in this room."""

from connector.toolkit import alchemy as alchemy
