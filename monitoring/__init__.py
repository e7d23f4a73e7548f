"""Watching the funds: indicators, thresholds, warnings people answer, projections, reports, and the month's end."""
