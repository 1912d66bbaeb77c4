"""Documents whose every passage says which version of which document it is a part of, and some that cannot land."""
