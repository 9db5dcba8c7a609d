"""What is found again: phones without an answer, and what an earlier run left."""
