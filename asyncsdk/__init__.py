"""Asyncio bulk upload of phone lists to the LOX24 SMS gateway."""
