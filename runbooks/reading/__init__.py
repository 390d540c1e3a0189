"""A session read afterwards: which there are, what each recorded, how it went in time. Nothing here writes."""
