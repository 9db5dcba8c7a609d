"""The version, in one place: the build reads it, the User-Agent shows it."""

__version__ = "0.1.0"
