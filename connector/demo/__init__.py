"""What `connector demo` shows: a phone and a staff desk, and the stand-ins that speak the real protocols."""
