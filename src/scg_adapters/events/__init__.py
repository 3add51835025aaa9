"""Adapters that deliver events: to a function, or to URLs by signed webhooks."""
