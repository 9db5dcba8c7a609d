"""A ledger in a file: all that is SQLite."""
