"""One package per artifact format; each lowers a ``toolchain.graph`` Graph and never re-derives what the Graph says."""
