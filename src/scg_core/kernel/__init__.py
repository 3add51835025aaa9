"""Words that every context shares; knows nothing of messages, calls or senders."""
