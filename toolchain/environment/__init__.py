"""What this machine has of what the toolchain needs: packages tried for real, tools by version."""
