"""The accounts of an upload: a ledger knows of every row what was sent and what was answered."""
