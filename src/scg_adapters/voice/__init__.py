"""Switches: what connects calls."""
