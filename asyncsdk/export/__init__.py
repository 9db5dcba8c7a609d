"""A report as files, one module per format."""
