"""Verdicts and budgets as tables, for a terminal or as Markdown; no figure is computed here."""
