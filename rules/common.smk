"""Names that the config gives to the rules, wildcard constraints, input functions. No rules."""

import gc
import hashlib
import json
import math
import os
import shlex
import sys
from pathlib import Path

from snakemake import __version__ as snakemake_version

# Jobs are made by the ten thousand and live to the end: looking through them for garbage takes a third of the time.
gc.set_threshold(100_000, 50, 100)

SCRIPTS = f"{workflow.basedir}/scripts"
sys.path.insert(0, SCRIPTS)

from thermoweave import (
    VERSION,
    campaign,
    cluster_jobs,
    engines,
    environment,
    failures,
    labellers,
    methods_text_limits,
    pseudopotentials,
    rounds,
    source,
    train_config,
)

environment.provide_conda(Path(workflow.basedir))


def growing(amount):
    """A resource that a retried job asks for more of: it may have run out of it."""
    return lambda wildcards, attempt: amount * attempt


def set_by_profile(rule, resource, default):
    """What a profile sets, as it is written there: what must be known before there are jobs."""
    settings = PROFILE.overwrite_resources.get(rule, {})
    return settings[resource].raw if resource in settings else default


PROFILE = workflow.resource_settings
# What label jobs need of the machine: what a profile sets for label_structures holds for the other rules that label, too.
LABEL_MACHINE = {
    "runtime": growing(60),  # minutes; pw.x stops in time, and the next run goes on from its charge density
    "mem_mb": growing(2000),
    "pw_command": f"python {shlex.quote(workflow.basedir)}/tools/pw_wheel.py",
    "tasks": 1,  # MPI ranks that a cluster gives to a job
    "npool": 1,  # of an MPI pw.x with k-points
    "pseudo_dir": f"{workflow.basedir}/resources/pseudopotentials",
    "label_store": "results/label/store",
    "scratch": "results/label/scratch",
}
for settings in (PROFILE.overwrite_resources, PROFILE.overwrite_threads):
    if "label_structures" in settings:
        for name in ("label_selected", "label_convergence_level", "label_spot_checks"):
            settings.setdefault(name, settings["label_structures"])
PSEUDO_DIR = set_by_profile("label_structures", "pseudo_dir", LABEL_MACHINE["pseudo_dir"])
# Where potentials are evaluated: cpu, or cuda where a profile says so of simulate_md.
DEVICE = set_by_profile("simulate_md", "device", "cpu")
RUN_THREADS = PROFILE.overwrite_threads.get("simulate_md", 1)
RUN_THREADS = getattr(RUN_THREADS, "raw", RUN_THREADS)

# Stops here, before any job, at the first wrong key, value or combination.
campaign.validate(config, Path(workflow.basedir), Path(PSEUDO_DIR), DEVICE)

CONCENTRATIONS = config["concentrations"]
TEMPERATURES = config["temperatures"]
REPLICAS = [str(k) for k in range(1, config["replicas"] + 1)]
BACKENDS = list(config["train"]["backends"])
SEEDS = config["train"]["seeds"]
# The last round of active learning is one of these: the walks cannot end it earlier, and not go on for longer.
FEWEST_ROUNDS, MOST_ROUNDS = rounds.fewest(config), rounds.most(config)
SYSTEM = config["system"]
# What a reduction may hold in memory, and what Python and its libraries take beside it.
REDUCE_PIECES_MB = int(config["reduce"]["memory_MB"])
REDUCE_MB = 2 * REDUCE_PIECES_MB + 1000
LABELLER = labellers.of(config["label"])
LABEL_ENVIRONMENT = config["label"][LABELLER].get("environment", LABELLER)
# What every label of the campaign must keep to.
LABEL_RULES = {
    "labeller": LABELLER,
    "limits": config["label"]["gate"],
    "needs_stress": config["label"]["stress"],
    "allowed_rungs": config["label"]["allowed_rungs"],
    "ladder": os.path.relpath(f"{workflow.basedir}/config/ladder.toml"),
}


wildcard_constraints:
    concentration=r"\d+(\.\d+)?",
    temperature=r"\d+(\.\d+)?",
    replica=r"\d+",
    round=r"\d+",
    batch=r"\d+",
    seed=r"\d+",
    backend="|".join(BACKENDS),
    share=r"0\.\d+",


# Rules on the way to the last potential have priority 1: everything waits for it, and what does not need it fills the gaps.


def code(script, *modules, environment="analysis"):
    """The first parameter of a rule: what its script and the modules that its numbers depend on do, and with which packages.

    modules: names in scripts/thermoweave, or functions of the wildcards that give some. Snakemake's own triggers for this,
    `code` and `software-env`, are not in the profiles: they run jobs again for a comment, for a script that is merely newer
    and for a checkout that was moved.
    """

    def of_job(wildcards):
        names = [name for item in modules for name in (item(wildcards) if callable(item) else [item])]
        packages = source.environment(f"{workflow.basedir}/envs/{environment.format(**wildcards)}.yaml")
        return f"{source.digests(SCRIPTS, (script, *(f'thermoweave/{name}' for name in names)))} packages {packages}"

    return of_job


def parts(kind, name):
    """Modules of an adapter: NAME.py and its parts, NAME_*.py."""
    found = sorted(Path(f"{SCRIPTS}/thermoweave/{kind}").glob(f"{name}_*.py"))
    return [f"{kind}/{name}", *(f"{kind}/{path.stem}" for path in found)]


def adapter(wildcards):
    """Modules of the adapter of a job's potential."""
    return parts("potentials", wildcards.backend)


def last_round():
    """The last round of active learning, whose potentials run the grid. Asks the checkpoint where the config leaves it open."""
    for round in range(FEWEST_ROUNDS, MOST_ROUNDS):
        stop = checkpoints.explore_stop.get(round=round - 1).output[0]
        if json.loads(Path(stop).read_text())["ends"]:
            return round
    return MOST_ROUNDS


def of_last_round(name):
    """A file of the potential that a backend and seed have in the last round: an input function."""
    return lambda wildcards: f"results/train/round{last_round()}/{wildcards.backend}/seed{wildcards.seed}/{name}"


def label_summaries(wildcards):
    """The record of the labels of every round."""
    return expand("results/label/round{round}/summary.csv", round=range(last_round() + 1))


def committee(name):
    """A file of every member of the committee of a round."""
    return expand(f"results/train/round{{{{round}}}}/{BACKENDS[0]}/seed{{seed}}/{name}", seed=SEEDS)


def start_of_training(wildcards):
    """The potential that a training goes on from: of the round before, where the backend explores and can, or its `init`."""
    section = config["train"]["backends"][wildcards.backend]
    if int(wildcards.round) and wildcards.backend == BACKENDS[0] and train_config.warm_start(config, wildcards.backend):
        return f"results/train/round{int(wildcards.round) - 1}/{wildcards.backend}/seed{wildcards.seed}/potential.json"
    return section.get("init", [])


def walked(name):
    """A file of every concentration that takes part in a round: an input function."""
    path = f"results/explore/round{{round}}/x{{concentration}}/{name}"
    return lambda wildcards: expand(
        path, round=wildcards.round, concentration=rounds.concentrations(config, int(wildcards.round))
    )


def rounds_walked(name):
    """A file of every round whose committee has walked."""
    return expand(f"results/explore/round{{round}}/{name}", round=range(last_round()))


def trained(name, seed="{seed}"):
    """A file of the potential that runs the grid with a seed."""
    return f"results/train/final/{{backend}}/seed{seed}/{name}"


def seed_of(replica):
    """The seed whose potential runs a replica: the trained ones in turn, so that the replicas' spread shows it."""
    return SEEDS[(int(replica) - 1) % len(SEEDS)]


def potential_of(wildcards):
    """The compiled potential that runs a replica."""
    return trained("compiled/potential.json", seed_of(wildcards.replica))


def run_files(name, run):
    """The path of a file of a run, (concentration, temperature, replica)."""
    return "results/simulate/{{backend}}/x{}/T{}/replica{}{}".format(*run, name)


def simulate_batches(size):
    """The runs of each batch, by its first one: up to `size` of one concentration and one potential, replica by replica.
    A new concentration moves no run to another batch, nor does a replica, or with one replica a temperature, at the end.
    """
    batches = {}
    for x in CONCENTRATIONS:
        for seed in range(len(SEEDS)):
            runs = [(x, t, replica) for replica in REPLICAS[seed :: len(SEEDS)] for t in TEMPERATURES]
            batches |= {runs[k]: runs[k : k + size] for k in range(0, len(runs), size)}
    return batches


BATCHES = simulate_batches(config["simulate"]["batch"])
FIRST = {run: first for first, runs in BATCHES.items() for run in runs}


def members(wildcards):
    """The runs of the batch that begins with this one."""
    return BATCHES.get((wildcards.concentration, wildcards.temperature, wildcards.replica), [])


def replicas_of_condition(ending):
    """A file of every replica of a condition."""
    path = "results/simulate/{{{{backend}}}}/x{{{{concentration}}}}/T{{{{temperature}}}}/replica{{replica}}.{}"
    return expand(path.format(ending), replica=REPLICAS)


def engine(wildcards):
    """Modules of the engine that runs a job's potential."""
    return parts("engines", engines.choose(config["simulate"]["engine"], wildcards.backend, DEVICE)[0])


def committee_of(wildcards):
    """The potentials of all seeds, where they judge each other."""
    wanted = config["simulate"]["health"]["committee"] != "none"
    return [trained("compiled/potential.json", seed) for seed in SEEDS] if wanted else []


def label_convergence_known(wildcards):
    """The comparison of the labels with those of higher settings, with its hash, where the campaign has made it.

    A parameter and no input: what is made on request must not be made again by itself.
    """
    path = Path("results/label/convergence/convergence.json")
    return [(str(path), hashlib.sha256(path.read_bytes()).hexdigest())] if path.exists() else []
