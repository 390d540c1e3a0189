"""How the scripts of a session may be shown and kept."""

from migrations.sql import Script
from migrations.sql.hiding import veil_of
from migrations.sql.redact_list import Columns
from migrations.sql.veil import Hidden, Veil
from runbooks.redact import Redactor
from runbooks.settings.project import Project


class Hiding:
    """Hides passwords, the values of columns that the project names, and the secrets that a session knows."""

    def __init__(self, project: Project, redactor: Redactor | None = None) -> None:
        self._columns = Columns.read(project.redact)
        self._redactor = redactor or Redactor({})

    def __call__(self, script: Script) -> Veil:
        """What hides a script's secrets. Seconds for megabytes: not for the event loop."""
        known = (Hidden(start, end, name, given=True) for start, end, name in self._redactor.spans(script.text))
        return veil_of(script, self._columns, known)
