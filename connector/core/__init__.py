"""What the connector knows and decides. No I/O: time, ids and randomness come in as arguments."""
