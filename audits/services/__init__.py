"""Mutations of the audits app, one function each."""
