"""A negotiator that learns by playing."""
