"""Adapters of a language model: examples, fitting, decisions by letters."""
