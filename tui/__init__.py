"""What a person looks at a session through."""
