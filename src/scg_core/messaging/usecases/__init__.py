"""What can be asked of messaging: load, decide, save, tell."""
