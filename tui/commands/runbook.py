"""`gonogo runbook`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.problem import Misuse
from runbooks.document.age import overdue
from runbooks.document.seen import read_beside
from runbooks.library import read_shipped, shipped
from runbooks.steps import catalogue
from tui.commands.common import talk
from tui.commands.runbook_commands import folder_of, told_of_commands
from tui.printable import printable
from tui.words import plural


@click.group("runbook")
def runbooks_group() -> None:
    """Look at runbook documents."""


@runbooks_group.command("check")
@click.argument("document", type=click.Path(path_type=Path))
def check_runbook(document: Path) -> None:
    """Check DOCUMENT: every fault with its line."""
    if not document.exists() and str(document) in shipped():
        advice = f"`gonogo runbook show {document}` prints it, to begin your own from."
        raise Misuse(f"{document} is no file here, but a runbook that ships, and in order.", advice=advice)
    book, seen = read_beside(document, folder_of(document), catalogue=catalogue())
    for words in told_of_commands(book, document):
        talk(printable(words))
    if words := overdue(book, datetime.now(UTC).date()):
        talk(printable(f"! {document}: {words}"))
    steps = sum(1 for _ in book.steps())
    beside = f", {plural(len(seen), 'document')} beside it" if seen else ""
    ways = plural(len(book.options), "way") + " back"
    click.echo(f"{document}: in order, {plural(steps, 'step')}, {ways}{beside}")


@runbooks_group.command("list")
def list_runbooks() -> None:
    """List the runbooks that ship with gonogo."""
    names = shipped()
    for name in names:
        click.echo(f"{name:<{max(map(len, names))}}  {read_shipped(name).splitlines()[0].removeprefix('# ')}")


@runbooks_group.command("show")
@click.argument("name")
def show_runbook(name: str) -> None:
    """Print the shipped runbook NAME, to begin your own from."""
    if name not in shipped():
        raise Misuse(f"No runbook {name} ships; these do: {', '.join(shipped())}.")
    click.echo(read_shipped(name), nl=False)
