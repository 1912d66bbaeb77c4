"""Spending: providers, prices, budgets, limits and the circuit breaker."""
