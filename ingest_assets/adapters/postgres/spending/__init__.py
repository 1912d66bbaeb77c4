"""What calls of providers cost, and what stands before and behind them."""
