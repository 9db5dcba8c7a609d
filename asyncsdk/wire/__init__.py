"""The wire format, without any I/O: values to bytes, bytes to values."""
