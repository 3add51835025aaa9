"""Where contents of files lie."""
