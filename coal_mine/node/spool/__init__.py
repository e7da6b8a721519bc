"""The files by which the agent and the supervisors speak: orders one way, output and results the other."""
