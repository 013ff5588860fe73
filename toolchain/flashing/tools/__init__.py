"""The programs and protocols that write a board's flash: one file each, one interface (``base``)."""
