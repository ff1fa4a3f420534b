"""Thermoweave: from first-principles labels to diffusion coefficients, activation energies and spectra.

One stage a file, in the order in which the data flow. docs/design.md is the contract.
"""

from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

min_version("9.27")


# A file given on the command line replaces it: merged, the two would mix salts and potentials.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "report/workflow.rst"


# One image with the rules' environments (make container), where --software-deployment-method says: conda apptainer.
if DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method:

    containerized: f"{workflow.basedir}/build/environments.sif"


include: "rules/common.smk"
include: "rules/generate.smk"
include: "rules/label.smk"
include: "rules/label_convergence.smk"
include: "rules/train.smk"
include: "rules/explore.smk"
include: "rules/simulate.smk"
include: "rules/reduce.smk"
include: "rules/spot_checks.smk"
include: "rules/reduce_figures.smk"
include: "rules/results.smk"
include: "rules/audit.smk"
include: "rules/audit_account.smk"
include: "rules/archive.smk"


onstart:
    cluster_jobs.resume(workflow, log)


onerror:
    print(failures.report(workflow, log), file=sys.stderr)


rule all:
    default_target: True
    input:
        RESULTS,
        expand("results/audit/{backend}/campaign.json", backend=BACKENDS),
        AUDIT_FILES,
    localrule: True
    message:
        "The campaign is complete: every figure and table is below results/."
