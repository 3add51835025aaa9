"""Adapters of the Translator port."""
