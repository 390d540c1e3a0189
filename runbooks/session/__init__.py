"""What a session is: the closed sets of its events and commands, the state that follows from them, and the gates."""
