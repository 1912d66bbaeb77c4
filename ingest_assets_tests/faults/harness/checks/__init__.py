"""What must hold all the time, and what must hold at the end."""
