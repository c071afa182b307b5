"""What several rooms need and none of them owns: HTTP, privacy, media, logs and metrics."""
