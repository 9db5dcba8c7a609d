"""What a reply or a failure means for the rows of a batch. Pure: it decides and does nothing."""
