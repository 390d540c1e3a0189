"""Everything that a session is run with, and the environment that its programs get."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from migrations.problem import Misuse
from migrations.target import Fingerprint, Pinned
from migrations.target.url import Url
from runbooks.session.references import env_variables, shell_variables
from runbooks.session.runbook import Runbook
from runbooks.session.view import RunView
from runbooks.settings.project import Environment, Project

FOREIGN = ("PG", "GONOGO_")


@dataclass(frozen=True)
class Setting:
    """One session's surroundings. `urls` holds this environment's addresses by the names of their variables."""

    folder: Path
    project: Project
    environment: Environment
    runbook: Runbook
    urls: dict[str, Url]
    target: Pinned
    environ: Mapping[str, str]

    @property
    def direct(self) -> Url:
        """The address for dumps and migrations."""
        return self.target.url

    @property
    def migrate_to(self) -> str | None:
        """The `to =` of the step that applies: later scripts are held back."""
        applying = (s for s in self.runbook.steps() if s.uses == "migrations.apply")
        to = next((s.params.get("to") for s in applying), None)
        return to if isinstance(to, str) else None

    @property
    def secrets(self) -> dict[str, str]:
        """The values of what the project names as secret, as far as they are set."""
        return {name: self.environ[name] for name in self.project.secrets if self.environ.get(name)}

    def beside(self, name: str) -> Pinned:
        """Another environment's database, not looked at yet. Raises Misuse."""
        other = self.project.environment(name)
        return target_of(other, read_urls(other, self.environ))

    def restored(self) -> Pinned:
        """Where a restored database is, not looked at yet: by `restored_url`, or at the old address where none is set.

        Raises Misuse for an address that is not understood.
        """
        variable = self.environment.restored_url
        text = self.environ.get(variable, "").strip() if variable else ""
        if variable and text:
            return Pinned(Url.parse(text, variable=variable))
        # An object of its own: by this whoever holds a connection there knows that the session has moved.
        return Pinned(replace(self.target.url), pooled=self.target.pooled)

    def move_to(self, other: Pinned) -> None:
        """From here on all that this session does is done there, by its programs, too."""
        for name in self.urls:
            self.urls[name] = other.url
        self.target.url, self.target.pin, self.target.pooled = other.url, other.pin, other.pooled

    def child_environment(self, view: RunView) -> dict[str, str]:
        """Built, not inherited: no address of another environment, no PG* variable, then this target alone.

        Nor results of another session, in which this one may have been begun.
        """
        addresses = {name for e in self.project.environments.values() for name in e.variables}
        inherited = {k: v for k, v in self.environ.items() if k not in addresses and not k.startswith(FOREIGN)}
        results = {name: step.result for name, step in view.steps.items()}
        return {
            **inherited,
            **{name: url.text.get_secret_value() for name, url in self.urls.items()},
            **shell_variables(results),
            **env_variables(self.environment.values),
            "GONOGO_SESSION": self.folder.name,
            "GONOGO_ENVIRONMENT": self.environment.name,
            "GONOGO_TICKET": view.opened.ticket if view.opened else "",
        }

    def notice_environment(self, view: RunView) -> dict[str, str]:
        """What the team's command that tells others gets: no address of any database."""
        return {k: v for k, v in self.child_environment(view).items() if k not in self.urls}


def read_urls(environment: Environment, environ: Mapping[str, str], moved: str | None = None) -> dict[str, Url]:
    """This environment's addresses by variable. Raises Misuse for one that is unset or not understood.

    `moved`: the variable whose address the session has moved to; then it stands in the place of them all.
    """
    urls = {}
    for name in (environment.url, environment.direct_url):
        if name is None:
            continue
        text = environ.get(moved or name, "").strip()
        if not text:
            advice = f"It must hold the address of {environment.name}'s {'restored ' if moved else ''}database."
            raise Misuse(f"{moved or name} is not set.", advice=advice)
        urls[name] = Url.parse(text, variable=moved or name)
    return urls


def target_of(environment: Environment, urls: Mapping[str, Url], pin: Fingerprint | None = None) -> Pinned:
    """The environment's database, by its address for dumps and migrations, and through the pooler that it declares."""
    url = urls[environment.direct_url or environment.url]
    return Pinned(url, pin, pooled=environment.pooler == "session")


def secrets(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """What must never be written, by name: the passwords of every address that can be read, and named secrets."""
    found = {name: environ[name] for name in (*project.secrets, "PGPASSWORD") if environ.get(name)}
    for environment in project.environments.values():
        for variable in environment.variables:
            if text := environ.get(variable):
                found |= _passwords(variable, text)
    return found


def _passwords(variable: str, text: str) -> dict[str, str]:
    try:
        url = Url.parse(text, variable=variable)
    except Misuse:
        return {}  # not understood: the redactor takes out what stands where a URL has its password
    return {f"{variable} password" if n == 0 else f"{variable} password {n}": s for n, s in enumerate(url.secrets)}
