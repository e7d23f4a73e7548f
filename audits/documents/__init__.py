"""Documents of a case: Word templates filled from the rows."""
