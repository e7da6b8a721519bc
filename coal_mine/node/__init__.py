"""What runs jobs on a machine. A supervisor for each run outlives the process that ordered it, and tells its end in the spool."""
