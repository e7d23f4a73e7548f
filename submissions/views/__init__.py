"""Pages of the quarterly tables, by noun."""
