"""A small queueing model of a deployment: how much it does, what limits it first, and what that needs."""
