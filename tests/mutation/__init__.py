"""How good the tests are: small mistakes are planted in the source, and the tests should notice."""
