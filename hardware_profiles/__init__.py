"""One TOML file per board: data only. ``toolchain.profiles`` reads them."""
