"""Roads and seconds: networks from OpenStreetMap, exact times and routes. Knows no police work."""
