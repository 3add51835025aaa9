"""Pure decisions about consent and keywords."""
