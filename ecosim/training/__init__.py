"""Training: how specialists are made from recipes, measured, and gated."""
