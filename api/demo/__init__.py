"""Simulated traffic: vehicles and callers that use the HTTP API like any other client."""

from api.demo.run import main

__all__ = ["main"]
