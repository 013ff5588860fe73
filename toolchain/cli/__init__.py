"""The command line: one file per verb, which parses, calls, prints and sets the exit code."""
