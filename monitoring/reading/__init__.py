"""What other apps and pages may ask of monitoring."""
