"""Results as people read them: tables for a terminal, Markdown, JSON with a published schema, and a page."""
