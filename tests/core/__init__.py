"""The conversation and what it is made of, without any I/O."""
