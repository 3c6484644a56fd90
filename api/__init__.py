"""HTTP, feeds, access, settings and the command line: the thin shell that talks."""
