"""What only a superuser may do, or whoever a provider lets do it: the migrating role may be neither."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown

_TRUSTED = frozenset(
    """
    bool_plperl btree_gin btree_gist citext cube dict_int fuzzystrmatch hstore intarray isn jsonb_plperl lo ltree
    pg_trgm pgcrypto plperl plpgsql pltcl seg tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp
    """.split()  # noqa: SIM905 (one on each line would hide the rule behind them)
)
"""Extensions that whoever may create in the database may install."""

_OTHERS = {
    "create access method": "create an access method",
    "create event trigger": "create an event trigger",
    "create foreign data wrapper": "create a foreign data wrapper",
    "create operator class": "create an operator class",
    "create operator family": "create an operator family",
}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Extensions that are not trusted, and what reaches beyond the database."""
    for action in statement.actions:
        words, subject = _needs(action)
        if words:
            yield Found(
                f"only a superuser, or a role that the provider made for it, can {words}: without that privilege the "
                "script fails here",
                subject=subject,
                instead="Have it done before the migration, by somebody who may; or see that the migrating role may.",
            )


def _needs(action: a.Action) -> tuple[str, str]:
    match action:
        case a.Create(kind="extension", name=name) if name.name not in _TRUSTED:
            return f"install extension {shown(name.name)}, unless it is there already", name.name
        case a.Create(kind="tablespace", name=name):
            return f"create tablespace {name}", name.name
        case a.Copy(table=table, program=True):
            return "run programs on the server", str(table or "")
        case a.Copy(table=table, from_client=False, into=into):
            return f"{'read' if into else 'write'} files of the server", str(table or "")
        case a.Other(what=what) if what in _OTHERS:
            return _OTHERS[what], what
    return "", ""


RULE = Rule(
    code="superuser-needed",
    title="Needs a privilege that the migrating role may lack",
    severity="note",
    fails="42501",
    setup="CREATE TABLE t (c int); SET ROLE pg_monitor",
    risky="CREATE EXTENSION IF NOT EXISTS postgres_fdw",
    safer="CREATE EXTENSION IF NOT EXISTS plpgsql",
    source="https://www.postgresql.org/docs/current/sql-createextension.html",
    about=(a.Copy, a.Create, a.Other),
    check=check,
)
