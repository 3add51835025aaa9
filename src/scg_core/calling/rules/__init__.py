"""Pure decisions of calling."""
