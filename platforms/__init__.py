"""The forces and their promise: platforms, units, zones and the time targets of each place."""
