"""An adapter that reads bulletins, letters and clauses."""
