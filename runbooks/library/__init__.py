"""The runbooks that ship with gonogo."""

from importlib import resources


def shipped() -> tuple[str, ...]:
    """The names of the runbooks that ship, in order."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if name.endswith(".md")))


def read_shipped(name: str) -> str:
    """The text of a runbook that ships. Raises KeyError for a name that is not in `shipped()`."""
    if name not in shipped():
        raise KeyError(name)
    return (resources.files(__name__) / f"{name}.md").read_bytes().decode()
