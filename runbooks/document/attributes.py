"""`id=x title="Two words" required`: attributes of run blocks and of items."""

import re

_ATTRIBUTE = re.compile(r"""\s*([A-Za-z][\w-]*)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"'`=<>]+)))?(?=\s|$)""", re.ASCII)


def read_attributes(text: str) -> dict[str, str | None]:
    """Name → value; None where a name stands alone. Raises ValueError with the part that is not understood."""
    found: dict[str, str | None] = {}
    text, at = text.strip(), 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise ValueError(f"`{text[at:].strip()[:40]}` is not understood")
        name, values = match[1], [v for v in match.groups()[1:] if v is not None]
        if name in found:
            raise ValueError(f"`{name}` stands twice")
        found[name] = values[0] if values else None
        at = match.end()
    return found
