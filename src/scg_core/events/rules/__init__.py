"""Pure decisions about events: who is told, how, when again, and what signs it."""
