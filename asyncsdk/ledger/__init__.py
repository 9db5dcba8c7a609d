"""The accounts of an upload: what was sent, what was answered."""
