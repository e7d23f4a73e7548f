"""Queries that span the apps: what the overview, the home page and the search show."""
