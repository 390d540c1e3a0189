"""The shop of `gonogo demo`: a database, an app in two versions, and everything that a team would have around them."""
