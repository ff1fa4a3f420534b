"""One log for each job: the rule's log file and stderr, with time stamps."""

import logging
import sys
from pathlib import Path
from types import TracebackType

from thermoweave import locks

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def start(path: str | Path) -> None:
    """Wait until no other process runs this job (`locks.hold`), then send the messages of the standard `logging` module
    (INFO and above) to `path`, afresh, and to stderr.

    An exception that ends the job goes there too: its traceback, then, as the last line, what happened in a sentence.
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    locks.hold(file)
    handlers = [logging.FileHandler(file, mode="w", encoding="utf-8"), logging.StreamHandler(sys.stderr)]
    logging.basicConfig(format=FORMAT, level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write an uncaught exception to the log (a `sys.excepthook`)."""
    log = logging.getLogger("thermoweave")
    log.critical("the job failed:", exc_info=(kind, error, trace))
    log.critical("%s: %s", kind.__name__, " ".join(str(error).split()) or "no message")
