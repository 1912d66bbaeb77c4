"""What people see and do in a real browser; skipped where Debian's Chromium is not installed."""
