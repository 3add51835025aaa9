"""Pictures, sounds and files that messages carry."""
