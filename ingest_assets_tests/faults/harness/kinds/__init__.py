"""The faults, by kind. `table.py` lists all of them; adding one changes its kind's module only."""
