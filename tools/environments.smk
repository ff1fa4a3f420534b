"""The environments that --config environments="NAME..." names (envs/NAME.yaml), apart from any campaign.

Snakemake makes them (--conda-create-envs-only) or writes the definition of an image that holds them (--containerize). It
cannot do the latter from a campaign: not all of its rules are in each DAG, and some name their environment by a wildcard.
"""

import sys
from pathlib import Path

ROOT = Path(workflow.basedir).parent
sys.path.insert(0, str(ROOT / "scripts"))

from snakemake.exceptions import WorkflowError
from thermoweave import environment

environment.provide_conda(ROOT)
KNOWN = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))
NAMES = str(config.get("environments", "")).split()

if not NAMES or set(NAMES) - set(KNOWN):
    raise WorkflowError(f'--config environments="{" ".join(NAMES)}": wants one or more of {", ".join(KNOWN)}')


rule environments:
    input:
        [f"results/environments/{name}" for name in NAMES],
    localrule: True
    message:
        "All environments are there."


for NAME in NAMES:

    rule:
        name:
            NAME
        output:
            f"results/environments/{NAME}",
        conda:
            f"../envs/{NAME}.yaml"
        message:
            "The environment is there."
        shell:
            "touch {output}"
