"""Audit cases: leads, plans, cases with their procedure, findings tied to claims, decisions, recoveries, agreements, points."""
