"""Pages of 数据接入, by noun."""
