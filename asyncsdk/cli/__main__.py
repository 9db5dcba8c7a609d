"""`python -m asyncsdk.cli` is the command `asyncsdk`."""

from asyncsdk.cli import main

if __name__ == "__main__":
    main()
