"""The cards of a case's page, one module each."""
