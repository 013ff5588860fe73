"""The rival of ``benchmarks/firmware.py``: dense 8-bit networks with ReLU, trained, quantized and run as firmware."""
