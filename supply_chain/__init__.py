"""What this project is made of: whether it may be used, and what it must not do."""
