"""Pages of core, by noun."""
