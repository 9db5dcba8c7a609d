"""`python -m asyncsdk.cli` is the command `asyncsdk`."""

from asyncsdk.cli import main

main()
