"""Databases that implement domain/ports.py."""
