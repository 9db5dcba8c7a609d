"""The command line is run here, too, with the same parts."""

from __future__ import annotations

from tests.cli.conftest import contacts, quiet_again, sandbox, sandboxes

__all__ = ["contacts", "quiet_again", "sandbox", "sandboxes"]
