"""A comment that means to allow a finding, and allows none: misspelt, without a reason, or left over."""

from migrations.rules.base import Rule

RULE = Rule(
    code="allow-without-effect",
    title="A comment allows a finding that is not there",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="-- gonogo: allow table-drop because the table is empty\nALTER TABLE t ADD COLUMN d int",
    safer="-- gonogo: allow column-drop because nothing reads it since 4.2\nALTER TABLE t DROP COLUMN c",
    source="https://www.postgresql.org/docs/current/sql-syntax-lexical.html",
)
