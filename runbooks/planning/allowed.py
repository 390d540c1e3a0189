"""What an environment may be used for, as gonogo.toml says: which sessions, and which plans."""

from migrations.problem import Misuse
from runbooks.planning.identity import Stop
from runbooks.session.events import PlanMade
from runbooks.session.runbook import Mode
from runbooks.settings.project import FILE, Environment

COMMANDS: dict[Mode, str] = {"walk": "run", "backup": "backup", "resolve": "resolve"}
"""What begins a session of each sort, as `allowed` names it."""


def may_begin(environment: Environment, mode: Mode) -> None:
    """Raises Misuse where this sort of session is not for this environment."""
    command = COMMANDS[mode]
    if environment.allowed is not None and command not in environment.allowed:
        known = ", ".join(environment.allowed) or "nothing"
        raise Misuse(
            f"{FILE} does not allow `gonogo {command}` on {environment.name}.",
            advice=f"`allowed` has {known}. It is for the team to change that, by a commit.",
        )


def judge_conditions(environment: Environment, plan: PlanMade) -> None:
    """Raises Stop for a plan of a sort that this environment refuses."""
    for condition in environment.refused:
        if reasons := plan.conditions.get(condition):
            more = f"; and {len(reasons) - 3} more" if reasons[3:] else ""
            raise Stop(
                f"{environment.name} refuses what is {condition}: {'; '.join(reasons[:3])}{more}.",
                advice=f"`refused` in {FILE} says so. It is for the team to change that, by a commit.",
            )
