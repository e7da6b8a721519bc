"""What a user can do: the only place where domain and store meet."""
