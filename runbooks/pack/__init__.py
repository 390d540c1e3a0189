"""The evidence pack of a session: one archive that holds all that is needed to check it elsewhere."""
