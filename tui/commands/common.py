"""What several commands share: options, and how they speak."""

import sys
from pathlib import Path

import click

DETACHED = 130
BUG = 70

project_option = click.option(
    "--project", "project_file", type=click.Path(path_type=Path), help="gonogo.toml to use, instead of the nearest one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="For a program to read.")


def talk(text: str) -> None:
    """Say something that is not data."""
    click.echo(text, err=True)


def on_terminal() -> bool:
    """Whether somebody can see a screen and press keys."""
    return sys.stdin.isatty() and sys.stdout.isatty()
