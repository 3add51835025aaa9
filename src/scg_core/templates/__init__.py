"""Message texts: how long they are, and (later) how they are made from templates."""
