"""How much of what is written in documents is read, and found."""
