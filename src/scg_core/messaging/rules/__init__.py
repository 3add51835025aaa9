"""Pure decisions about messages and requests, one noun a file."""
