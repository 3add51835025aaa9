"""Decisions about senders: which is named, which may be used, when and how fast it sends."""
