"""Pieces of messaging's use cases that take an open unit."""
