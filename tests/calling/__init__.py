"""Tables and rules of calling, and a machine beside a model."""
