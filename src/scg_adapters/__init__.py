"""What connects the engine to the world: storage, transports, places, clock, command line."""
