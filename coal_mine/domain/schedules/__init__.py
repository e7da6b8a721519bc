"""The kinds of schedules that a job can have; schedule.py is their face."""
