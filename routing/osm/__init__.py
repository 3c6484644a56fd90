"""From OpenStreetMap to a compiled network: reading, cutting, joining, judging."""
