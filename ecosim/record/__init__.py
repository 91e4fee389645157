"""What is kept of a run: events, answers of language minds, metrics, manifest and digest."""
