"""A verifier and a forger of journals, written from docs/journal.md with the standard library alone."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path

DOC = Path(__file__).parents[2] / "docs" / "journal.md"
ROW = re.compile(r"\| `([a-z_]+)` \| (`.*?|none) \|")
NAMES = ["at", "data", "hash", "kind", "prev", "seq"]
ZEROS = "0" * 64


def ordered(value):
    """The same with the members of every object in the order of RFC 8785."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: ordered(value[name]) for name in names}
    return [ordered(each) for each in value] if isinstance(value, list) else value


def canonical(value) -> bytes:
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


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


class Bad(Exception):
    pass


def refuse(text):
    raise Bad(f"number {text}")


def whole_number(text):
    if text == "-0" or len(text) > 17 or abs(int(text)) >= 2**53:
        raise Bad(f"number {text[:20]}")
    return int(text)


def no_twins(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise Bad("a name twice")
    return dict(pairs)


def depth(value) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def check_line(line: bytes, number: int, prev: str, known) -> tuple[str, str]:
    """The hash and the kind of a line that holds; raises Bad."""
    try:
        record = json.loads(
            line.decode("utf-8"),
            parse_float=refuse,
            parse_constant=refuse,
            parse_int=whole_number,
            object_pairs_hook=no_twins,
        )
        if not isinstance(record, dict) or sorted(record) != NAMES or not isinstance(record["data"], dict):
            raise Bad("fields")
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", record["at"]):
            raise Bad("at")
        datetime.fromisoformat(record["at"][:-1])
        if canonical(record) + b"\n" != line:
            raise Bad("form")
    except (ValueError, TypeError, RecursionError) as error:
        raise Bad("no record") from error
    if depth(record["data"]) > 64:
        raise Bad("depth")
    if (record["seq"], record["prev"]) != (number, prev) or isinstance(record["seq"], bool):
        raise Bad("order")
    if hashlib.sha256(canonical({n: v for n, v in record.items() if n != "hash"})).hexdigest() != record["hash"]:
        raise Bad("hash")
    kind, data = record["kind"], record["data"]
    required, allowed = known.get(kind, ({"a known kind"}, set()))
    if not required <= set(data) <= allowed:
        raise Bad("kind")
    if (number == 0) != (kind == "session_opened" and data.get("format") == 1):
        raise Bad("opening")
    return record["hash"], kind


def verify(data: bytes) -> tuple[str, int, str, int | None]:
    """Grade, records that hold, head, and the number of the first line that does not (from 1)."""
    head, ended, known = ZEROS, False, kinds()
    lines = data.split(b"\n")
    torn = lines.pop()
    for number, line in enumerate(lines):
        try:
            if ended:
                raise Bad("after the end")
            head, kind = check_line(line + b"\n", number, head, known)
        except Bad:
            return "broken", number, head, number + 1
        ended = kind == "session_ended"
    if torn and ended:
        return "broken", len(lines), head, len(lines) + 1
    return "consistent" if ended else "open", len(lines), head, None
