"""A change in stages, additive first, each a session of its own: which stage a runbook is. Pure."""

from runbooks.session.frozen import Frozen

STAGES = (
    "add what is new, beside the old and not binding",
    "let the application write both",
    "fill in the rows that were there before",
    "make it binding",
    "remove what is old",
)


class Series(Frozen):
    """`stage` counts from 1."""

    name: str
    stage: int

    @property
    def brief(self) -> str:
        """Where there is little room."""
        return f"{self.name} {self.stage}/{len(STAGES)}"

    @property
    def words(self) -> str:
        """What this stage is."""
        return f"{self.name}, {stage_words(self.stage)}"

    @property
    def following(self) -> "Series | None":
        """The stage after this one; None after the last."""
        return Series(name=self.name, stage=self.stage + 1) if self.stage < len(STAGES) else None


def stage_words(stage: int) -> str:
    """A stage by its number, and what it is for."""
    return f"stage {stage} of {len(STAGES)}: {STAGES[stage - 1]}"
