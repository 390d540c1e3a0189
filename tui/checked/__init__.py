"""What `gonogo check` prints: for people, for programs, for pull requests."""
