"""A forger of journals, and the table of events in docs/journal.md."""

import hashlib
import json
import re
from pathlib import Path

from runbooks.pack.verify import ZEROS, canonical

DOC = Path(__file__).parents[2] / "docs" / "journal.md"
ROW = re.compile(r"\| `([a-z_]+)` \| (`.*?|none) \|")


def sealed(body: dict) -> bytes:
    """The line of a record whose hash is right for what it says."""
    body = {name: value for name, value in body.items() if name != "hash"}
    return canonical({**body, "hash": hashlib.sha256(canonical(body)).hexdigest()}) + b"\n"


def forged(raws: list[dict]) -> bytes:
    """A journal of any content whose chain is right: what a forger with the file in hand can make."""
    lines, head = [], ZEROS
    for seq, raw in enumerate(raws):
        lines.append(sealed({"at": raw["at"], "kind": raw["kind"], **raw, "seq": seq, "prev": head}))
        head = json.loads(lines[-1].decode("utf-8", "surrogatepass"))["hash"]
    return b"".join(lines)


def kinds() -> dict[str, tuple[set[str], set[str]]]:
    """From the page's table: for each kind the fields that must be there, and those that may."""
    table = DOC.read_text().partition("## The events")[2]
    found = {}
    for kind, fields in ROW.findall(table):
        marked = re.findall(r"`([a-z_0-9]+)`(\*?)", fields)
        found[kind] = ({name for name, star in marked if not star}, {name for name, _ in marked})
    return found
