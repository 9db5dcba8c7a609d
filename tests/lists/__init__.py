"""Lists as people have them: files, and long ones that are made when a test needs them."""
