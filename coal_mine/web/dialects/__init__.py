"""The HTTP faces of older systems: their words and shapes for jobs and runs, by the same services as the native API."""
