"""How far scripts have come: what is known to be committed of each, followed through what applying records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Reach:
    """`committed`: by script, how many of its statements are. `in_doubt`: the scripts of which more may be."""

    committed: Mapping[str, int] = field(default_factory=dict)
    in_doubt: frozenset[str] = frozenset()

    def after_record(self, data: Mapping[str, JsonValue]) -> "Reach":
        """After one more record of a step."""
        match data:
            case {"event": "Sending" | "Committing", "name": str(script)}:
                return Reach(self.committed, self.in_doubt | {script})
            case {"event": "ScriptStarted" | "Through", "name": str(script), "through": int(through)}:
                return self._known({script: through})
            case {"event": "ScriptBroken", "name": str(script), "through": int(through), "known": True}:
                return self._known({script: through})
            case _:
                return self

    def after_step(self, result: Mapping[str, JsonValue]) -> "Reach":
        """After the end of a step, which says what it applied, by whatever engine."""
        scripts = result.get("scripts")
        done = {
            str(one["name"]): int(str(one["statements"]))
            for one in (scripts if isinstance(scripts, list) else ())
            if isinstance(one, dict) and one.get("committed") is True and {"name", "statements"} <= one.keys()
        }
        return self._known(done) if done else self

    def _known(self, done: Mapping[str, int]) -> "Reach":
        return Reach({**self.committed, **done}, self.in_doubt - done.keys())
