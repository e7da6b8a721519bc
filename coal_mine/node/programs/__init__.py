"""Programs of our own, which a supervisor runs in the place of a job's command. So the agent waits for nobody outside, and to kill a
run, its time limit, its output and a restart of the agent are what they are for commands.

Each is a process with an environment that nobody but the node's own settings has a say in: it runs as the node's own user.
"""
