"""Backups of a service's folder: taken while it runs, checked, and put back."""
