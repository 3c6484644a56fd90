"""The commands of `kuaijing` that belong to the service; each module registers its own."""
