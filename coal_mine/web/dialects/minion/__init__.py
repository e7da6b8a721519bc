"""Minion's API, /v1/minion: its jobs are ours, in the namespace account/group.

The words are translated here, and the rules are those of the services.
"""
