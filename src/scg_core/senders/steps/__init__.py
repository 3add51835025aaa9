"""Pieces of the senders' use cases that take an open unit."""
