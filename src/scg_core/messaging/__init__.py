"""Message requests, the messages they become, and the lanes messages wait in."""
