"""The machine that a session runs on: whether its lock holds there, which one it is, what it does at logout."""
