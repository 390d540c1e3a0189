"""Whether a database is the one that was meant: its fingerprint, and the mark that it carries."""

from migrations.problem import Problem
from migrations.target import Fingerprint, marking
from runbooks.settings.project import FILE, Environment, Project


class Stop(Problem):
    """What the database is, or how it is reached, ends the session."""


def judge(project: Project, environment: Environment, pin: Fingerprint, mark: str | None) -> None:
    """Raises Stop for another database than `environment` is to be. `mark` is the environment that it names itself."""
    found, name, wanted = _print(pin), environment.name, environment.fingerprint
    whose = _owners(project, found)
    belongs = f" That fingerprint belongs to {' and '.join(whose)}." if whose else ""
    if wanted is not None and found != wanted:
        raise Stop(
            f"This is not {name}: the database is {found}, and {FILE} says {wanted}.{belongs}",
            advice="Look at the address. If the server was rebuilt, correct the fingerprint.",
        )
    judge_mark(project, environment, pin, mark)
    if wanted is None and whose:
        raise Stop(f"This is not {name}: the database is {found}.{belongs}", advice="Correct the address.")


def judge_mark(project: Project, environment: Environment, pin: Fingerprint, mark: str | None) -> None:
    """Raises Stop if the database names another environment, or none where its fingerprint does not tell which it is.

    A physical clone keeps the identity of its original, and its mark until it is marked anew.
    """
    name = environment.name
    if mark == name:
        return
    says = f"says that it is {mark}" if mark is not None else "does not say which of them it is"
    twins = [name, *(other for other in _owners(project, _print(pin)) if other != name)]
    if environment.fingerprint == _print(pin) and len(twins) > 1:
        marks = "; ".join(f"in {twin}'s: {marking(pin.database, twin)}" for twin in twins)
        raise Stop(
            f"This is not known to be {name}: {' and '.join(twins)} have one fingerprint in {FILE}, "
            f"and the database itself {says}.",
            advice=f"See first which server the address leads to. Then let each database name its own environment, "
            f"as a superuser: {marks}",
        )
    if mark is not None:
        raise Stop(
            f"This is not {name}: the database itself {says}.",
            advice="Look at the variable that names the address, or mark the database anew.",
        )


def _print(pin: Fingerprint) -> str:
    return f"{pin.system_identifier}/{pin.database}"


def _owners(project: Project, found: str) -> list[str]:
    return [other.name for other in project.environments.values() if other.fingerprint == found]
