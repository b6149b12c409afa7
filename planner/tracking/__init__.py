"""Plans against plans, and against what has happened."""
