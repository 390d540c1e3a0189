"""Steps, gates and time: the runbook document, the session, its journal, and the process that owns it."""
