"""The compiled searches over directed arcs, their plain twin, and how they are asked."""
