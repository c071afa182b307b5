"""Settings, mappings and everything the check says of them."""
