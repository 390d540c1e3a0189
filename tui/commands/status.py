"""`gonogo status`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from runbooks import launch
from runbooks.places import place
from runbooks.status import status_of
from tui.commands.common import json_option, project_option
from tui.printed import status_lines


@click.command(short_help="What is pending, what is wrong; changes nothing.")
@click.argument("environment")
@json_option
@project_option
def status(environment: str, as_json: bool, project_file: Path | None) -> None:
    """Tell what is pending on ENVIRONMENT, and what is wrong. Changes nothing; exit 1 if anything is."""
    here = place(project_file)
    found = asyncio.run(status_of(here.project, launch.environment_of(here.project, environment), os.environ))
    click.echo(found.model_dump_json(indent=2) if as_json else "\n".join(status_lines(found)))
    sys.exit(0 if found.clean else 1)
