"""What is about to happen: the plan, its hash, and what of it is told."""
