"""A history as Prisma writes it, with here and there a script by hand: few findings, each worth reading."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cheap import making

from migrations.rules import Finding, judge
from migrations.server import ThrowawayServer
from migrations.sql import Script, Statement, read_script

FOLDER = Path(__file__).parent / "history"
SCRIPTS = sorted(FOLDER.glob("*/migration.sql"))
MOST = 2
"""Findings that a script of such a history may have, on average."""


@cache
def script(path: Path) -> Script:
    return read_script(path.read_text())


@cache
def findings(path: Path) -> tuple[Finding, ...]:
    return judge(script(path))


def test_there_is_less_than_enough_to_read() -> None:
    counts = Counter({path.parent.name: len(findings(path)) for path in SCRIPTS})
    assert len(SCRIPTS) >= 40
    assert counts.total() < MOST * len(SCRIPTS), counts.most_common(5)
    assert sum(count == 0 for count in counts.values()) >= len(SCRIPTS) / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("init", []),
        ("webhooks", []),
        ("team_invites", []),
        ("index_comments_by_author", []),
        ("article_slug_unique", ["index-without-concurrently", "work-under-exclusive-lock"]),
        ("delete_articles_with_their_author", ["add-foreign-key", "work-under-exclusive-lock"]),
        ("article_body_required", ["not-null-on-existing"]),
        ("comments_of_guests", ["drop-not-null"]),
        ("drop_theme", ["column-drop"]),
        ("display_name", ["column-rename-as-drop-and-add"]),
        ("role_without_editor", ["column-type-change"]),
        ("comment_updated_at", ["add-column-not-null"]),
        ("drop_webhooks", ["table-drop"]),
        ("times_with_zone", ["column-type-change"]),
    ],
)
def test_what_an_expert_would_say_of_it(name: str, expected: list[str]) -> None:
    (path,) = (path for path in SCRIPTS if path.parent.name.partition("_")[2] == name)
    assert [finding.rule for finding in findings(path)] == expected


def test_the_history_runs_and_so_does_each_safer_form_in_its_place(
    databases: Callable[..., str], admin: psycopg.Connection[Any], server: ThrowawayServer
) -> None:
    url = databases("history")
    for path in SCRIPTS:
        for number, finding in enumerate(one for one in findings(path) if one.safer_sql):
            admin.execute(f"DROP DATABASE IF EXISTS history_{number}".encode())
            admin.execute(making(server, f"history_{number}", "history"))
            with psycopg.connect(url, dbname=f"history_{number}", autocommit=True) as connection:
                run(connection, script(path).statements[: finding.statement])
                run(connection, read_script(finding.safer_sql).statements)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(path.read_bytes())


def run(connection: psycopg.Connection[tuple[object, ...]], statements: Sequence[Statement]) -> None:
    for statement in statements:
        connection.execute(statement.text.encode())
