"""What is read before a session begins: gonogo.toml, answers, who operates, where things lie."""
