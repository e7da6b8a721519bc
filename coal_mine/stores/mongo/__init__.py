"""The production store: MongoDB, any number of servers."""
