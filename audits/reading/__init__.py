"""Queries of the audits app that span models."""
