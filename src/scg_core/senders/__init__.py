"""The addresses messages are sent from."""
