"""An app with one job that notes each of its starts and waits to be let go: for tests that kill its worker."""
