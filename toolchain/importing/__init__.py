"""Bring your own network: a feed-forward convolutional model of snnTorch or NIR becomes a run of this toolchain."""
