"""Adapters of the ``Prices`` port."""
