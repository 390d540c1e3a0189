"""Which runbook an environment is walked by."""

from runbooks.document import decode, read_bytes
from runbooks.library import read_shipped, shipped
from runbooks.settings.project import Environment, Project


def runbook_text(project: Project, environment: Environment) -> tuple[str, str]:
    """The name and the text of the environment's runbook, byte for byte.

    A name without a folder or an ending is a runbook that ships; without any, `production` serves protected
    environments and `staging` the others. Raises Misuse for a file that is not there, DocumentError if it is not text.
    """
    name = environment.runbook or ("production" if environment.protected else "staging")
    if name in shipped():
        return name, read_shipped(name)
    data = read_bytes(project.folder / name)
    decode(data, name)
    return name, data.decode()
