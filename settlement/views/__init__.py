"""Pages of the annual settlement, by noun."""
