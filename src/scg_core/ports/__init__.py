"""How the core reaches the world: one Protocol a file, each verb with its laws."""
