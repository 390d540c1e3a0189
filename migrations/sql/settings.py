"""What a script has set for its session so far."""

from migrations.sql import actions as a


class Settings:
    """Follows SET, SET LOCAL and RESET."""

    def __init__(self) -> None:
        self._session: dict[str, str | None] = {}
        self._local: dict[str, str | None] = {}  # until the transaction ends

    def get(self, setting: str) -> str | None:
        """Its value now; None where it is not the script's."""
        return self._local[setting] if setting in self._local else self._session.get(setting)

    def take_in(self, action: a.Action) -> None:
        """The action is behind us now."""
        match action:
            case a.Set(setting="*"):
                self._session.clear()
                self._local.clear()
            case a.Set(setting=setting, value=value, local=True):
                self._local[setting] = value
            case a.Set(setting=setting, value=value):
                self._session[setting] = value
                self._local.pop(setting, None)
            case a.Transaction(kind="commit" | "rollback"):
                self.end_transaction()

    def end_transaction(self) -> None:
        """What was set for the transaction holds no more."""
        self._local.clear()
