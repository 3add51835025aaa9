"""The kit is tested with adapters that are wrong on purpose."""
