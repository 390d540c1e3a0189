"""What a rule says of one statement. Apart from the rules, which take long to load."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["stop", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of one statement (its index, from 0). `lock` and `blocks` are empty where no lock matters.

    `rewrites`: the server writes the whole table anew. `instead`: what to do in words; `safer_sql`: as SQL, ready to
    be copied. `allowed`: the reason that a comment in the script gives for it. `live`: found only because of what the
    target holds, so that it may come and go with the data. `if_there`: how bad it is where the table was there before
    the script's CREATE TABLE IF NOT EXISTS; where that is not known, `severity` is `note`.
    """

    rule: str
    severity: Severity
    statement: int
    line: int
    message: str
    loses_data: bool = False
    lock: str = ""
    blocks: str = ""
    tables: tuple[str, ...] = ()
    instead: str = ""
    source: str = ""
    subject: str = ""
    rewrites: bool = False
    safer_sql: str = ""
    allowed: str = ""
    live: bool = False
    if_there: Severity | None = None
