"""Adapters of the Patterns port."""
