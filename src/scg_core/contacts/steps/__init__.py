"""Pieces of what is done with contacts."""
