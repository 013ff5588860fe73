"""From an architecture to integer weights: float training, then quantization-aware fine-tuning."""
