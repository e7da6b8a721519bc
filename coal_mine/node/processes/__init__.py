"""Processes of the system: which one it is, which ones belong together, and how all of them are ended; and small files, such as theirs."""
