"""One log for each job: the rule's log file and stderr, with time stamps; and, beside it, those of all its attempts.

Snakemake removes the log of a job before it runs the job again. What failed and killed attempts had to say, and how
long they took, stays in NAME.attempts (`job_attempts` reads it).
"""

import atexit
import logging
import socket
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from thermoweave import locks

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
ATTEMPTS = ".attempts"  # ending of the file of all attempts of a job, which only grows; its times are UTC
BEGINS, GOES_ON, ENDS = "the attempt begins", "the attempt goes on", "the attempt ends"
FAILED = "the job failed:"
EVERY_S = 60.0  # a sign of life: how long a killed attempt lasted is known to within this


def start(path: str | Path) -> None:
    """Wait until no other process runs this job (`locks.hold`), then send the messages of the standard `logging` module
    (INFO and above) to `path`, afresh, to the file of all attempts beside it, and to stderr.

    An exception that ends the job goes there too: its traceback, then, as the last line, what happened in a sentence.
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    locks.hold(file)
    handlers = [
        logging.FileHandler(file, mode="w", encoding="utf-8"),
        logging.StreamHandler(sys.stderr),
        _keep(file.with_suffix(ATTEMPTS)),
    ]
    logging.basicConfig(format=FORMAT, level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception


def _keep(path: Path) -> logging.Handler:
    """What appends to the file of all attempts. It says there, and only there, when this one begins, lives and ends."""
    with open(path, "ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read() != b"\n":  # the attempt before was killed as it wrote
                file.write(b"\n")
    handler = logging.FileHandler(path, encoding="utf-8")
    formatter = logging.Formatter(FORMAT)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    marks = logging.getLogger("attempt")
    marks.propagate, marks.handlers = False, [handler]
    marks.setLevel(logging.INFO)
    marks.info(BEGINS)
    marks.info("on %s", socket.gethostname())  # here, and not in records, which go into archives
    atexit.register(marks.info, ENDS)
    threading.Thread(target=_live, args=(marks,), daemon=True).start()
    return handler


def _live(marks: logging.Logger) -> None:
    while True:
        time.sleep(EVERY_S)
        marks.info(GOES_ON)


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write an uncaught exception to the log (a `sys.excepthook`)."""
    log = logging.getLogger("thermoweave")
    log.critical(FAILED, exc_info=(kind, error, trace))
    log.critical("%s: %s", kind.__name__, " ".join(str(error).split()) or "no message")
