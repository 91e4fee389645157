"""The audience beyond the plain day: other acts, weekly rhythm, fatigue, trust, leaving and coming back."""
