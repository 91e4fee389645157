"""Where weights come from: examples from teachers, trainers, what they need to go on after a stop."""
