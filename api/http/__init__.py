"""The HTTP side: routes, schemas, views, and what stands around every request."""
