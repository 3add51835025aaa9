"""Pure decisions about texts, one noun a file."""
