"""The shared model pool: one base model that answers many rows at once, with the same bits in any batch."""
