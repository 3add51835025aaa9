"""What ``scg bench`` runs: figures, not tests."""
