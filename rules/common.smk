"""Names that the config gives to the rules, wildcard constraints, input functions. No rules."""

import hashlib
import math
import os
import shlex
import sys
from pathlib import Path

SCRIPTS = f"{workflow.basedir}/scripts"
sys.path.insert(0, SCRIPTS)

from thermoweave import campaign, engines, environment, labellers, train_config

environment.provide_conda(Path(workflow.basedir))

# What label jobs need of the machine: what a profile sets for label_structures holds for label_convergence_level, too.
LABEL_MACHINE = {
    "runtime": 60,  # minutes; pw.x stops itself before they are over, and the next run goes on from its charge density
    "mem_mb": 2000,
    "pw_command": f"python {shlex.quote(workflow.basedir)}/tools/pw_wheel.py",
    "npool": 1,  # of an MPI pw.x with k-points
    "pseudo_dir": f"{workflow.basedir}/resources/pseudopotentials",
    "label_store": "results/label/store",
    "scratch": "results/label/scratch",
}
set_by_profile = workflow.resource_settings.overwrite_resources.get("label_structures", {})
LABEL_MACHINE |= {
    name: value.raw for name, value in set_by_profile.items() if type(value.raw) is type(LABEL_MACHINE.get(name))
}
LABEL_THREADS = workflow.resource_settings.overwrite_threads.get("label_structures", 1)
LABEL_THREADS = getattr(LABEL_THREADS, "raw", LABEL_THREADS)
RUN_THREADS = workflow.resource_settings.overwrite_threads.get("simulate_md", 1)
RUN_THREADS = getattr(RUN_THREADS, "raw", RUN_THREADS)
# Where potentials are evaluated: cpu, or cuda where a profile says so of simulate_md.
DEVICE = workflow.resource_settings.overwrite_resources.get("simulate_md", {}).get("device", "cpu")
DEVICE = getattr(DEVICE, "raw", DEVICE)

# Stops here, before any job, at the first wrong key, value or combination.
campaign.validate(config, Path(workflow.basedir), Path(LABEL_MACHINE["pseudo_dir"]), DEVICE)

CONCENTRATIONS = config["concentrations"]
TEMPERATURES = config["temperatures"]
REPLICAS = [str(k) for k in range(1, config["replicas"] + 1)]
BACKENDS = list(config["train"]["backends"])
SEEDS = config["train"]["seeds"]
LAST_ROUND = config["explore"]["rounds"]
SYSTEM = config["system"]
# What a reduction may hold in memory, and what Python and its libraries take beside it.
REDUCE_PIECES_MB = int(config["reduce"]["memory_MB"])
REDUCE_MB = 2 * REDUCE_PIECES_MB + 1000
LABELLER = labellers.of(config["label"])
LABEL_ENVIRONMENT = f"../envs/{config['label'][LABELLER].get('environment', LABELLER)}.yaml"
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


def modules(*names):
    """Files of scripts/thermoweave that a rule's numbers depend on: Snakemake tracks a script, not what it imports."""
    # relative: a checkout that moves with its campaigns stays up to date
    return [os.path.relpath(f"{SCRIPTS}/thermoweave/{name}.py") for name in names]


def adapter_files(backend):
    """Files of a potential's adapter: NAME.py and its parts, NAME_*.py."""
    parts = sorted(Path(f"{SCRIPTS}/thermoweave/potentials").glob(f"{backend}_*.py"))
    return modules(f"potentials/{backend}", *(f"potentials/{path.stem}" for path in parts))


def batches(round):
    """Numbers of the label batches of one concentration in a round."""
    n = config["generate" if int(round) == 0 else "explore"]["structures"]
    return range(math.ceil(n / config["label"]["batch"]))


def structures_to_label(wildcards):
    """Round 0 labels what `generate` made, later rounds what `explore` chose."""
    if wildcards.round == "0":
        return "results/generate/x{concentration}/structures.extxyz"
    return f"results/explore/round{int(wildcards.round) - 1}/x{{concentration}}/selected.extxyz"


def batch_files(name, round):
    """One file of every batch of every concentration of a round."""
    path = f"results/label/round{round}/x{{concentration}}/batch{{batch}}.{name}"
    return expand(path, concentration=CONCENTRATIONS, batch=batches(round))


def labels_until(wildcards):
    """All label batches of rounds 0 to n: what the potential of round n is trained on."""
    return [path for k in range(int(wildcards.round) + 1) for path in batch_files("extxyz", k)]


def trained(name, seed="{seed}"):
    """A file of the potential of the last round with a seed."""
    return f"results/train/round{LAST_ROUND}/{{backend}}/seed{seed}/{name}"


def seed_of(replica):
    """The seed whose potential runs a replica: the trained ones in turn, so that the replicas' spread shows it."""
    return SEEDS[(int(replica) - 1) % len(SEEDS)]


def potential_of(wildcards):
    """The compiled potential of the last round that runs a replica."""
    return trained("compiled/potential.json", seed_of(wildcards.replica))


def run_files(name, run):
    """The path of a file of a run, (concentration, temperature, replica)."""
    return "results/simulate/{{backend}}/x{}/T{}/replica{}{}".format(*run, name)


def simulate_batches(size):
    """The first run of the batch of each run: up to `size` of one concentration and one potential, replica by replica. A
    new concentration moves no run to another batch, nor does a replica, or with one replica a temperature, at the end.
    """
    first = {}
    for x in CONCENTRATIONS:
        for seed in range(len(SEEDS)):
            runs = [(x, t, replica) for replica in REPLICAS[seed :: len(SEEDS)] for t in TEMPERATURES]
            first |= {run: runs[k - k % size] for k, run in enumerate(runs)}
    return first


FIRST = simulate_batches(config["simulate"]["batch"])


def members(wildcards):
    """The runs of the batch that begins with this one."""
    run = (wildcards.concentration, wildcards.temperature, wildcards.replica)
    return [other for other, first in FIRST.items() if first == run]


def replicas_of_condition(ending):
    """A file of every replica of a condition."""
    path = "results/simulate/{{{{backend}}}}/x{{{{concentration}}}}/T{{{{temperature}}}}/replica{{replica}}.{}"
    return expand(path.format(ending), replica=REPLICAS)


def engine_files(wildcards):
    """Files that a run's numbers depend on."""
    name, _ = engines.choose(config["simulate"]["engine"], wildcards.backend, DEVICE)
    parts = sorted(path.stem for path in Path(f"{SCRIPTS}/thermoweave/engines").glob(f"{name}_*.py"))
    names = ["batch", "runs", "run_facts", "run_checks", "trajectory", "health", "protocol", "preparation", "barostat"]
    names += ["potentials/wall", "potentials/committee", "pairwise", "pairwise_torchsim"]
    return modules(f"engines/{name}", *(f"engines/{part}" for part in parts), *names) + adapter_files(wildcards.backend)


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


def result_figures():
    """The figures that the config asks for."""
    names = ["arrhenius", "activation", "conductivity", "budget", "msd", "rdf", "vdos", "conductivity_spectrum"]
    names += ["solvation"] if config["reduce"]["solvation"] != "none" else []
    return names + (["structure_factor"] if config["reduce"]["spectra"]["structure_factor"] != "none" else [])


def verdicts(backend):
    """The verdict of every run of the grid."""
    path = "results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.json"
    return expand(path, backend=backend, concentration=CONCENTRATIONS, temperature=TEMPERATURES, replica=REPLICAS)
