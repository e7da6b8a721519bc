"""The other side of the spool: the process that forks supervisors, and the supervisor of one run, which outlives the agent.

Each supervisor carries what is imported here, so that is the standard library, little of it, and nothing of the domain.
"""
