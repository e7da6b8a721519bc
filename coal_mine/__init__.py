"""Coal Mine tells people when a periodic job did not run."""

__version__ = "1.0.0.dev0"
