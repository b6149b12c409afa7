"""Write every golden file anew: `python -m tests.golden`, from the folder of the Makefile."""

from tests.golden.tables import write

write()
