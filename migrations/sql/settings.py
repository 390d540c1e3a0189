"""What a script has set for its session so far."""

from migrations.sql import actions as a
from migrations.sql.undo import Undo


class Settings:
    """Follows SET, SET LOCAL and RESET, and takes back what a ROLLBACK does."""

    def __init__(self) -> None:
        self._session: dict[str, a.Set] = {}
        self._local: dict[str, a.Set] = {}  # until the transaction ends
        self._undo = Undo()

    def get(self, setting: str) -> str | None:
        """Its value now; None where it is not the script's."""
        found = self._local.get(setting) or self._session.get(setting)
        return found.value if found else None

    def take_in(self, action: a.Action) -> None:
        """The action is behind us now."""
        match action:
            case a.Set(setting="*"):
                for settings in (self._session, self._local):
                    for setting in tuple(settings):
                        self._undo.put(settings, setting, None)
            case a.Set(setting=setting, local=True):
                self._undo.put(self._local, setting, action)
            case a.Set(setting=setting):
                self._undo.put(self._session, setting, action)
                self._undo.put(self._local, setting, None)
            case a.Transaction(kind=kind):
                self._undo.take_in(action)
                if kind in ("commit", "rollback"):
                    self.end_transaction()

    def end_transaction(self) -> None:
        """What was set for the transaction holds no more."""
        self._local.clear()
