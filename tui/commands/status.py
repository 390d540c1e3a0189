"""`gonogo status`."""

import asyncio
import json
import os
import sys
from pathlib import Path

import click

from migrations.problem import Misuse
from runbooks.faces import launch
from runbooks.history.places import place
from runbooks.ledger.status import status_of
from tui.commands.common import json_option, project_option
from tui.printed import status_lines


@click.command(short_help="What is pending, what is wrong; changes nothing.")
@click.argument("environment")
@click.option("--drift", is_flag=True, help="Also replay the migrations, and tell what was changed by hand.")
@click.option(
    "--pg-bin", type=click.Path(path_type=Path, file_okay=False, exists=True), help="PostgreSQL's programs for --drift."
)
@json_option
@project_option
def status(environment: str, drift: bool, pg_bin: Path | None, as_json: bool, project_file: Path | None) -> None:
    """Tell what is pending on ENVIRONMENT, and what is wrong. Changes nothing; exit 1 if anything is."""
    if pg_bin and not drift:
        raise Misuse("--pg-bin names the programs to replay with.", advice="Add --drift.")
    here = place(project_file)
    chosen = launch.environment_of(here.project, environment)
    found = asyncio.run(status_of(here.project, chosen, os.environ))
    told, lines, clean = found.model_dump(mode="json"), status_lines(found), found.clean
    if drift:
        from runbooks.ledger.drifting import drift_status  # with all that replays and compares: not for a quick look
        from tui.commands.status_drift import drift_lines, told_on_terminal

        looked = asyncio.run(drift_status(here.project, chosen, os.environ, pg_bin, told_on_terminal))
        told["drift"] = looked.model_dump(mode="json")
        lines, clean = [*lines, *drift_lines(looked)], clean and looked.clean
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
    sys.exit(0 if clean else 1)
