"""Write down what is installed in a rule's environment, so that it can be made again as it was."""

import logging
import os
from pathlib import Path

from thermoweave import environment, logs

log = logging.getLogger(__name__)


def archive_environment(out: str) -> None:
    """The versions of all packages of this environment (`environment.installed`)."""
    partial = Path(f"{out}.partial")
    partial.write_text(environment.installed())
    os.replace(partial, out)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    archive_environment(snakemake.output[0])
