"""The acts of monitoring."""
