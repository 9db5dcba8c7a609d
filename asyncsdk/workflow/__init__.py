"""What is done with a list before and after its upload, on a terminal and on a page alike."""
