"""Adapters of the ``Limits`` port; in the storage it is the engine's own ``StoredLimits``."""
