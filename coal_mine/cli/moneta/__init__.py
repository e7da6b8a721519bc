"""Moneta's configuration: read from a file, sent to a server, and what became of it."""
