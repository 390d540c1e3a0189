"""What a ledger and a schema are found to be, and what resolving a row comes to."""
