"""What a job says reaches its log file and stderr, the reason of its end included."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
JOB = """
import logging, sys, warnings
sys.path.append({scripts!r})
from thermoweave import logs
logs.start({path!r})
logging.getLogger("label").info("12 of 75 labels")
warnings.warn("one of them twice")
raise ValueError("label.batch is 0:\\nit must be\\n  at least 1")
"""


def test_messages_warnings_and_the_end_are_in_the_file_and_on_stderr(tmp_path):
    path = tmp_path / "logs" / "job.log"
    path.parent.mkdir()
    path.write_text("of an earlier attempt")
    code = JOB.format(scripts=str(SCRIPTS), path=str(path))
    job = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    text = path.read_text()
    assert job.returncode == 1
    assert job.stderr == text
    assert "earlier" not in text
    assert "INFO    label: 12 of 75 labels" in text
    assert "one of them twice" in text
    assert "Traceback" in text
    assert text.splitlines()[-1].endswith("ValueError: label.batch is 0: it must be at least 1")
