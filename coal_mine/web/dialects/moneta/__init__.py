"""Moneta's API: its tasks are jobs, its nodes and pools are ours, its options are kept.

What its users and its web client know goes on to work; what is wrong about it is not repeated. The words are translated here, and the
rules are those of the services.
"""
