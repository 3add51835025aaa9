"""Subscriptions, and the envelopes that wait for them."""
