"""Ordering that is taught by thinking ahead."""
