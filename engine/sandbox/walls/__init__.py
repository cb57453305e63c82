"""The operating system's wall: one file a layer, raised in order, each tried once it stands."""
