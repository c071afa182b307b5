"""What the outside reaches: webhooks, health, metrics."""
