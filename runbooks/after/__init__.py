"""What a session leaves to be done, and to be told: follow-ups, the line for the release notes."""
