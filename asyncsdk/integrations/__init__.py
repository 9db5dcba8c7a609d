"""What connects the package with other systems, one module each, imported only when it is used."""
