"""One is not many: a count stands before a plural only where it cannot be one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrations.listed import many

TOP = Path(__file__).parents[1]
PLURAL = re.compile(
    r" (?:more |other )?(cells|columns|differences|files|findings|items|lines|migrations|objects|partitions|records"
    r"|requests|rows|scripts|sessions|signatures|statements|steps|tables|things|transactions|values)\b"
)
PLACE = re.compile(f"}}{PLURAL.pattern}")


def counted(tree: ast.AST) -> Iterator[str]:
    """What is put before a plural as it is: `{count} scripts`, unless it was asked first how many they are."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.JoinedStr):
            for value, text in zip(child.values, child.values[1:], strict=False):
                if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant) and _counts(value.value):
                    yield from (
                        f"{ast.unparse(value.value)}{found[0]}" for found in [PLURAL.match(text.value)] if found
                    )
        if not isinstance(child, ast.IfExp):
            yield from counted(child)


def _counts(value: ast.expr) -> bool:
    """Neither a constant of ours, nor words that were chosen."""
    return not isinstance(value, ast.IfExp) and not any(
        isinstance(part, ast.Name) and part.id.isupper() for part in ast.walk(value)
    )


@pytest.mark.parametrize("package", ["migrations", "runbooks", "tui"])
def test_nothing_says_one_scripts(package: str) -> None:
    found = {
        f"{path.relative_to(TOP)}: {words}"
        for path in sorted((TOP / package).rglob("*.py"))
        if PLACE.search(text := path.read_text())
        for words in counted(ast.parse(text))
    }
    assert not found, "migrations.listed.many says it"


def test_it_is_seen() -> None:
    source = 'f"{len(a)} scripts"; f"{n} rows" if n != 1 else "one row"; f"{MOST} lines"; f"{many(n, \'row\')} of"'
    assert list(counted(ast.parse(source))) == ["len(a) scripts"]
    assert [many(count, "script is", "scripts are") for count in (0, 1, 2)] == [
        "0 scripts are",
        "1 script is",
        "2 scripts are",
    ]
