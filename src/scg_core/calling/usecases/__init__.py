"""What may be asked of calls, bridges and conferences."""
