"""The service under a city's load: 250 crews on streams, 20 consoles, bursts of incidents."""
