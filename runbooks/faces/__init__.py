"""Who looks at a session: the protocol, the socket, and the face without a screen."""
