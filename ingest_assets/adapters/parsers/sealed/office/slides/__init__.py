"""Presentations in the order in which they are shown, with notes and comments; hidden slides are counted."""
