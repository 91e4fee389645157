"""Report cards, their controls and arenas, and the gate."""
