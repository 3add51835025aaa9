"""What customers and the operator do to consent and keywords."""
