"""PostgreSQL and migration folders: what is on disk, what is on the server, and how one becomes the other."""
