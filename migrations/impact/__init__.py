"""What scripts mean for one database: what they touch is looked up there, once, and their findings are weighed by it.

`asked` collects what scripts speak of, `reading` looks it up, `foreseen` follows it through the scripts, and `weigh`
judges by it.
"""
