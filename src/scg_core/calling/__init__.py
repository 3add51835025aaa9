"""Calls, bridges and conferences: who talks to whom, and what they hear."""
