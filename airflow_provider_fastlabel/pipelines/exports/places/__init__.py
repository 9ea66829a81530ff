"""How a finished data set takes its place: in a local folder or an object store, in place or as one of its versions."""
