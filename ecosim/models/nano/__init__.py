"""Nano minds' networks: a small transformer over the columns of a question."""
