"""The README's reference mentions every command and every option."""

from collections.abc import Iterator
from pathlib import Path

import click

from tui.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text()


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_and_option_is_in_the_reference() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `gonogo")]
    for path, command in commands(cli, "gonogo"):
        row = next((r for r in rows if r.startswith(f"| `{path} ") or r.startswith(f"| `{path}`")), None)
        assert row is not None, f"the README does not mention {path}"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and "--help" not in parameter.opts:
                assert any(option in row for option in parameter.opts), f"{path}: {parameter.opts}"


def test_the_reference_mentions_no_command_that_is_not_there() -> None:
    known = {path for path, _ in commands(cli, "gonogo")} | {"gonogo"}
    for line in README.splitlines():
        if line.startswith("| `gonogo"):
            words = line.removeprefix("| `").split("`")[0].split()
            path = " ".join(w for w in words if w.islower() and not w.startswith(("[", "-")))
            assert path in known, line
