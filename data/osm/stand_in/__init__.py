"""Builds the synthetic stand-in road network of Shaoyang; not map data, and it says so."""
