"""Word documents as they are shown: with changes accepted, numbers, notes, comments, heads and feet written out."""
