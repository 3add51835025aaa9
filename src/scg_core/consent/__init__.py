"""Who has agreed to be written to."""
