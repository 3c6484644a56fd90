"""Questions with a budget; see README.md."""
