"""Files as people send them, through the whole pipeline: what is written in them is found."""
