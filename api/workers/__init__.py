"""Several processes that serve together: one decides, all others follow and pass on."""
