"""What the files are called that belong to no other module here. Apart from those that read them, so that supervisors carry no more."""

# In the spool:
BELL = "bell"
LEASE = "lease"
RUNS = "runs"
# In a run's directory, beside what orders.py, output.py, progress.py and record.py name:
SPEC = "spec.json"
SUPERVISOR = "supervisor"  # a symbolic link to an identity: made at once with its content, by one process only
GROUP = "cgroup"  # a symbolic link to its group
FAULT = "fault"  # what went wrong in the supervisor itself
