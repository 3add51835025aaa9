"""What can be asked of senders: provisioning, sender ids, channels."""
