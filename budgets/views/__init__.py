"""Pages of budgets, by noun. They fetch what the person may see, call one service, and show again what was typed."""
