"""The log of facts, the pure core that decides, and the store and runner around it."""
