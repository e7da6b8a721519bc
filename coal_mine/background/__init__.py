"""Loops that work without being asked."""
