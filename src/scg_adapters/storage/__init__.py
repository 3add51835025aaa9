"""Where the engine keeps what it knows."""
