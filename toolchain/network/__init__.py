"""The Graph in torch: a float network to train, and an integer one that computes what the firmware will."""
