"""Passwords that stand in a statement, wherever in it: in connection strings, and as settings."""

import re
from collections.abc import Iterator
from itertools import islice

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import walk

from migrations.sql import actions as a
from migrations.sql.names import printable
from migrations.sql.tree import LOOKED_AT, text_of

CONNECTION = "the password of a connection string"

_LIKELY = re.compile(r"password\s*=|://", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@]*:[^\s:/@]+@[^\s@]", re.IGNORECASE)
_PAIR = r"[a-z_]+\s*=\s*(?:'(?:[^'\\]|\\.)*'|[^\s']+)"
_PAIRS = re.compile(rf"\s*{_PAIR}(?:\s+{_PAIR})+\s*")
_PASSWORD = re.compile(r"\bpassword\s*=\s*(?!'')\S")
_SETTING = re.compile(r"\..*(?:passw|secret|token|key|credential)", re.IGNORECASE)


def secrets_in(text: str, tree: Message) -> Iterator[a.SecretGiven]:
    """A connection string with a password among the constants of a statement."""
    if _LIKELY.search(text):
        nodes = (node for _, node in islice(walk(tree), LOOKED_AT))
        if any(is_secret(node.sval.sval) for node in nodes if isinstance(node, pb.A_Const) and node.HasField("sval")):
            yield a.SecretGiven(CONNECTION)


def is_secret(value: str) -> bool:
    """Whether a value is a connection string that holds a password."""
    if _URL.search(value):
        return True
    return "=" in value and _PAIRS.fullmatch(value) is not None and _PASSWORD.search(value) is not None


def setting(name: str, value: str | None, *, local: bool = False) -> Iterator[a.Action]:
    """A setting that is changed; one of an app's own that is called like a secret is told without its value."""
    if value and _SETTING.search(name):
        yield a.Set(name, "?", local=local)
        yield a.SecretGiven(f"the setting {printable(name)}")
    else:
        yield a.Set(name, value, local=local)


def setting_of(stmt: pb.AlterDatabaseSetStmt | pb.AlterRoleSetStmt) -> Iterator[a.Action]:
    """ALTER DATABASE … SET, ALTER ROLE … SET: in force from the next session on."""
    yield a.Other("alter database settings" if isinstance(stmt, pb.AlterDatabaseSetStmt) else "alter role settings")
    given = setting(stmt.setstmt.name, "".join(text_of(node) or "" for node in stmt.setstmt.args))
    yield from (action for action in given if isinstance(action, a.SecretGiven))
