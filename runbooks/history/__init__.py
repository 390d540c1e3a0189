"""The sessions of this machine, and what came before on an environment."""
