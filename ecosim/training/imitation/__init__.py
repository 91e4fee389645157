"""Networks that are taught by whoever answers well already."""
