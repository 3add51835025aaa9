"""Companies and their applications: values that the host supplies."""
