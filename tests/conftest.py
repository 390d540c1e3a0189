"""What all tests share. Fixtures that need more than a few lines are in fix_*.py."""

import os
import sys
from pathlib import Path

# This checkout, whatever is installed; and the fix_* modules beside this file.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

# gonogo is started hundreds of times; each module is compiled once, also where the machine says not to.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))
