"""One file for the paper: the campaign as an RO-Crate, from which every figure can be drawn again.

REQUIRED INPUTS: everything above, and what Snakemake recorded of its jobs
OUTPUTS, below results/archive/:
    labels.extxyz, labels.md            all labels, with a card that counts the rejected ones
    environments/{environment}.txt      what is installed where
    trajectories/...                    every so many frames, where the config asks for that
    NAME.crate.zip
"""

ARCHIVE = config["archive"]
# Where rules of this campaign run.
ENVIRONMENTS = sorted({"analysis", GENERATE_ENVIRONMENT, LABEL_ENVIRONMENT, *BACKENDS})
EVERY = ARCHIVE["trajectories"]["every"] if isinstance(ARCHIVE["trajectories"], dict) else 0


rule archive:
    input:
        f"results/archive/{config['name']}.crate.zip",
    localrule: True
    message:
        "The archive is in results/archive/."


rule archive_environment:
    output:
        "results/archive/environments/{environment}.txt",
    log:
        "results/logs/archive_environment/{environment}.log",
    wildcard_constraints:
        environment="|".join(ENVIRONMENTS),
    localrule: True
    conda:
        "../envs/{environment}.yaml"
    params:
        code("archive_environment", environment="{environment}"),
    message:
        "Writing down what is installed in {wildcards.environment}."
    script:
        "../scripts/archive_environment.py"


rule archive_labels:
    input:
        frames=lambda wildcards: rounds.labels_until(config, last_round()),
        summaries=label_summaries,
    output:
        frames="results/archive/labels.extxyz",
        card="results/archive/labels.md",
    log:
        "results/logs/archive_labels.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("archive_labels", "datasets", "attempts"),
        settings={LABELLER: config["label"][LABELLER], "gate": config["label"]["gate"]},
    message:
        "Collecting all labels, and counting the rejected ones."
    script:
        "../scripts/archive_labels.py"


rule archive_trajectory:
    input:
        "results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc",
    output:
        "results/archive/trajectories/{backend}/x{concentration}/T{temperature}/replica{replica}.nc",
    log:
        "results/logs/archive_trajectory/{backend}_x{concentration}_T{temperature}_replica{replica}.log",
    benchmark:
        "results/benchmarks/archive_trajectory/{backend}_x{concentration}_T{temperature}_replica{replica}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=growing(30),
    params:
        code("archive_trajectory"),
        every=EVERY,
    message:
        "Thinning the trajectory at x = {wildcards.concentration}, {wildcards.temperature} K, replica {wildcards.replica}."
    script:
        "../scripts/archive_trajectory.py"


rule archive_crate:
    input:
        results=RESULTS,
        lineage="results/audit/lineage.json",
        citations="results/audit/citations.json",
        audit=AUDIT_FILES,
        campaign=expand("results/audit/{backend}/campaign.json", backend=BACKENDS),
        labels=["results/archive/labels.extxyz", "results/archive/labels.md"],
        environments=expand("results/archive/environments/{environment}.txt", environment=ENVIRONMENTS),
        trajectories=expand(
            "results/archive/trajectories/{backend}/x{concentration}/T{temperature}/replica{replica}.nc",
            backend=BACKENDS if EVERY else [],
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
            replica=REPLICAS,
        ),
    output:
        f"results/archive/{config['name']}.crate.zip",
    log:
        "results/logs/archive_crate.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        root=workflow.basedir,
    params:
        code("archive_crate", "bundles", "crate_files", "crate_metadata", "privacy", "lineage"),
        config_text=campaign.as_written(config, workflow.configfiles),
        about={
            **{key: ARCHIVE[key] for key in ("title", "description", "authors", "licence")},
            "name": config["name"],
            "snakemake": snakemake_version,
        },
        full=ARCHIVE["trajectories"] == "all",
        # of the environment that Snakemake itself runs in
        installed=lambda wildcards: environment.installed(),
        threads=RUN_THREADS,
        pseudopotentials=pseudopotential_files if PSEUDO_DIR != LABEL_MACHINE["pseudo_dir"] else {},
        convergence=label_convergence_known,
        allowed=ARCHIVE.get("allow", []),
    message:
        "Writing the archive."
    script:
        "../scripts/archive_crate.py"


# In an unpacked archive, where what was archived is put aside (tools/crate_runs.py).
rule archive_recomputed:
    input:
        lambda wildcards: sorted(path.relative_to("archived").as_posix() for path in Path("archived").rglob("*.nc")),
    output:
        "results/archive/recomputed.csv",
    log:
        "results/logs/archive_recomputed.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("archive_recomputed", "reduced"),
        archived="archived",
    message:
        "Comparing what was computed again with the archive."
    script:
        "../scripts/archive_recomputed.py"
