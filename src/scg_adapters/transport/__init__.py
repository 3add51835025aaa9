"""What takes messages away."""
