"""What contacts are decided by, one noun a file."""
