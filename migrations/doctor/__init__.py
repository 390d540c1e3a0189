"""The ledger's doctor: from folder, ledger and catalog to named states, each with its cause and the way out of it."""

from migrations.doctor.diagnosis import diagnose as diagnose
from migrations.doctor.facts import Earlier as Earlier
from migrations.doctor.facts import Facts as Facts
from migrations.doctor.state import State as State
from migrations.doctor.state import StateName as StateName
from migrations.doctor.state import Way as Way
