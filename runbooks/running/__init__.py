"""The process that owns a session: it opens it, runs its steps and writes its journal."""
