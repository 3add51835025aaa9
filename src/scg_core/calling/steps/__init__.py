"""Pieces of what is done with calls, in an open unit."""
