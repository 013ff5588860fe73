"""From a board's limits to a spiking neural network that is proven to fit and to compute what was trained."""

__version__ = "0.1.0"
