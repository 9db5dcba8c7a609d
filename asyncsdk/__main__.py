"""`python -m asyncsdk`: the command line."""

from asyncsdk.cli import main

if __name__ == "__main__":
    main()
