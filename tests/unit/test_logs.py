"""What a job says reaches its log file and stderr, the reason of its end included; what its attempts said stays."""

import subprocess
import sys
from pathlib import Path

from thermoweave import job_attempts

SCRIPTS = Path(__file__).parents[2] / "scripts"
START = """
import logging, os, sys, time, warnings
sys.path.append({scripts!r})
from thermoweave import logs
logs.EVERY_S = 0.02
logs.start({path!r})
"""
FAILS = """
logging.getLogger("label").info("12 of 75 labels")
warnings.warn("one of them twice")
raise ValueError("label.batch is 0:\\nit must be\\n  at least 1")
"""
DIES = """
while open({attempts!r}).read().count("goes on") < 3: time.sleep(0.01)
os.write(os.open({attempts!r}, os.O_WRONLY | os.O_APPEND), b"2026-01-01 00:00:0")
os.kill(os.getpid(), 9)
"""
ENDS = 'logging.getLogger("label").info("75 of 75 labels")\n'


def job(path: Path, what: str) -> subprocess.CompletedProcess:
    """One attempt. Snakemake removes the log of the one before."""
    path.unlink(missing_ok=True)
    code = (START + what).format(scripts=str(SCRIPTS), path=str(path), attempts=str(path.with_suffix(".attempts")))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_messages_warnings_and_the_end_are_in_the_file_and_on_stderr(tmp_path):
    path = tmp_path / "logs" / "job.log"
    path.parent.mkdir()
    path.write_text("of an earlier attempt")
    done = job(path, FAILS)
    text = path.read_text()
    assert done.returncode == 1
    assert done.stderr == text
    assert "earlier" not in text and "attempt" not in text
    assert "INFO    label: 12 of 75 labels" in text
    assert "one of them twice" in text
    assert "Traceback" in text
    assert text.splitlines()[-1].endswith("ValueError: label.batch is 0: it must be at least 1")


def test_what_failed_and_killed_attempts_said_outlives_their_log(tmp_path):
    path = tmp_path / "x0.25_batch0.log"
    assert [job(path, what).returncode for what in (FAILS, DIES, ENDS, FAILS)] == [1, -9, 0, 1]
    attempts = job_attempts.read(tmp_path / "x0.25_batch0.attempts")
    assert [one.done for one in attempts] == [False, False, True, False]
    assert "12 of 75 labels" in attempts[0].said and "75 of 75 labels" in attempts[2].said
    assert job_attempts.behind(attempts) is attempts[2]
    assert "75 of 75" not in path.read_text()


def test_a_killed_attempt_lasts_until_its_last_sign_of_life(tmp_path):
    job(tmp_path / "a.log", DIES)
    (killed,) = job_attempts.read(tmp_path / "a.attempts")
    assert killed.said.count("the attempt goes on") >= 3 and killed.wall_s + 0.001 >= 0.06
    assert job_attempts.behind([killed]) is None


def test_times_of_attempts_are_utc(tmp_path):
    text = "2026-10-25 00:30:00,250 INFO    attempt: the attempt begins\n2026-10-25 02:30:00,750 INFO    a: x\n"
    (tmp_path / "a.attempts").write_text(text)
    (attempt,) = job_attempts.read(tmp_path / "a.attempts")
    assert attempt.begin == 1792888200.25 and attempt.wall_s == 7200.5


def test_a_job_without_a_record_has_no_attempts(tmp_path):
    assert job_attempts.read(tmp_path / "a.attempts") == []
