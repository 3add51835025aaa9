"""What is done with subscriptions and the envelopes that wait for them."""
