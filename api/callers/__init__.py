"""Who called (报警人): name and telephone, sealed apart from the log and dropped after a time."""
