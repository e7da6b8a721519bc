"""What runs jobs on a machine.

agent/ claims runs. supervisor/ is a process for each of them, which outlives the agent. They speak through the files of spool/, and
end what is to end by means of processes/.
"""
