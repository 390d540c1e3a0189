"""What several steps share. No step itself."""
