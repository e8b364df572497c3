"""Which engine answers, and why: one table, no browser."""
