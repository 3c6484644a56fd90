"""The bodies that requests may have: strict, without unknown fields, checked once at the gate."""
