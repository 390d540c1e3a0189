"""The head of a journal, noted where the operator cannot rewrite it."""
