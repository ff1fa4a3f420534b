"""What failed in a run of Snakemake, why, and how to go on: the last thing that it prints.

Reads Snakemake's own objects and its log, which are no stable interface: tests/unit/test_failures.py and the workflow's
tests hold it to the pinned version.
"""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

SHOWN = 10  # failed jobs of a rule, in full
# what Snakemake's log says of a job that was sent to a cluster and failed, and what SLURM says there
FAILED = re.compile(
    r"Error in rule \w+:\n\s+message: (.*?)(?:For further error details[^\n]*)?\n\s+jobid: (\d+)\n", re.S
)
SLURM_STATE = re.compile(r"SLURM status is: '(\w+)'")
REMEDIES = {
    "TIMEOUT": "ran out of time: raise `runtime` of the rule in the profile",
    "OUT_OF_MEMORY": "ran out of memory: raise `mem_mb` of the rule in the profile",
    "CANCELLED": "was cancelled",
    "NODE_FAIL": "lost its node",
}


@dataclass
class Failure:
    """A job that failed in its last attempt."""

    rule: str
    wildcards: dict[str, str]
    logs: list[str]
    attempts: int
    message: str = ""  # of the executor that sent it to a cluster


def report(workflow, logs: list[str]) -> str:
    """The summary of a run of Snakemake's `workflow` that has failed; `logs`: its log files."""
    left = {job for job in workflow.dag.needrun_jobs() if not job.is_norun} - workflow.scheduler.failed
    return summary(failures(workflow, logs), len(left), sys.argv)


def failures(workflow, logs: list[str]) -> list[Failure]:
    """The jobs that failed, in the order of rules and wildcards."""
    said = messages("".join(Path(log).read_text(errors="replace") for log in logs))
    found = []
    for job in workflow.scheduler.failed:
        message = said.get(str(workflow.dag.jobid(job)), "")
        found.append(Failure(job.rule.name, dict(job.wildcards_dict), [*map(str, job.log)], job.attempt, message))
    return sorted(found, key=lambda failure: (failure.rule, *failure.wildcards.values()))


def messages(text: str) -> dict[str, str]:
    """What a cluster said of the last failure of each job, by Snakemake's number of the job, from Snakemake's log."""
    said = {number: " ".join(message.split()) for message, number in FAILED.findall(text)}
    return {number: message for number, message in said.items() if message != "None"}  # as of a job beside Snakemake


def reason(failure: Failure) -> str:
    """Why it failed, in a sentence: what the cluster says where it ended the job, else the last line of its log."""
    found = SLURM_STATE.search(failure.message)
    state = found[1] if found else ""
    if failure.message and state != "FAILED":
        return f"{state}: {REMEDIES.get(state, 'ended by SLURM')}" if state else failure.message
    lines = [line for path in failure.logs if Path(path).exists() for line in Path(path).read_text().splitlines()]
    last = next((line for line in reversed(lines) if line.strip()), "")
    return re.sub(r"^\S+ \S+ [A-Z]+ +\w+: ", "", last) or "no word in its log: look into Snakemake's, above"


def summary(found: list[Failure], n_left: int, command: list[str]) -> str:
    """The text; `n_left`: jobs that were not run because of the failures; `command`: how this run was started."""
    by_rule: dict[str, list[Failure]] = {}
    for failure in found:
        by_rule.setdefault(failure.rule, []).append(failure)
    lines = ["", f"{len(found)} job{'s' * (len(found) > 1)} failed:"]
    for rule, failed in by_rule.items():
        for failure in failed[:SHOWN]:
            which = " ".join(f"{name}={value}" for name, value in failure.wildcards.items())
            times = f" ({failure.attempts} attempts)" if failure.attempts > 1 else ""
            lines += [f"  {rule} {which}{times}", f"      {reason(failure)}"]
            lines += [f"      {path}" for path in failure.logs]
        if len(failed) > SHOWN:
            lines.append(f"  {rule}: {len(failed) - SHOWN} more, see Snakemake's log")
    left = f"{n_left} that need what failed did not run. " if n_left else ""
    lines.append(f"{left}What is finished is kept. To go on:")
    program = "snakemake" if Path(command[0]).name == "__main__.py" else command[0]  # of `python -m snakemake`
    lines.append(f"    {shlex.join([program, *command[1:]])}")
    return "\n".join(lines)
