"""Pieces of use cases about consent and keywords that take an open unit."""
