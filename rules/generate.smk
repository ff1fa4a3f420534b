"""Structures that look like the melt.

REQUIRED INPUTS: none (the config's sections `system` and `generate`)
OUTPUTS:
    results/generate/x{concentration}/structures.extxyz          what round 0 labels
    results/generate/x{concentration}/T{temperature}/start{replica}.extxyz   where production runs start
"""

TEACHER = config["generate"].get("teacher")
GENERATE_ENVIRONMENT = TEACHER["backend"] if TEACHER else "analysis"
TEACHING = (
    (
        "engines/ase",
        "preparation",
        "pairwise",
        "potentials/start",
        "potentials/tensors",
        "potentials/wall",
        *parts("potentials", TEACHER["backend"]),
    )
    if TEACHER
    else ()
)


rule generate_structures:
    input:
        teacher=TEACHER["potential"] if TEACHER else [],
    output:
        structures="results/generate/x{concentration}/structures.extxyz",
    log:
        "results/logs/generate_structures/x{concentration}.log",
    benchmark:
        "results/benchmarks/generate_structures/x{concentration}.tsv"
    priority: 1
    conda:
        f"../envs/{GENERATE_ENVIRONMENT}.yaml"
    resources:
        runtime=growing(120 if TEACHER else 10),
        mem_mb=growing(4000 if TEACHER else 1000),
    params:
        code(
            "generate_structures",
            "composition",
            "generators/ionic_melt",
            "seeds",
            *TEACHING,
            environment=GENERATE_ENVIRONMENT,
        ),
        composition=SYSTEM["composition"],
        density=SYSTEM["density"],
        charges=SYSTEM["charges"],
        radii=SYSTEM["radii"],
        n_units=config["generate"]["formula_units"],
        n_structures=config["generate"]["structures"],
        temperatures=config["generate"]["temperatures"],
        strain=config["generate"]["strain"],
        superheat=config["generate"]["superheat"],
        contact_share=config["generate"]["contact_share"],
        contact_scale=config["generate"]["contact_scale"],
        md_ps=config["generate"]["md_ps"],
        seed=config["seed"],
        teacher=TEACHER,
    message:
        "Making first structures at concentration {wildcards.concentration}."
    script:
        "../scripts/generate_structures.py"


rule generate_start:
    output:
        start="results/generate/x{concentration}/T{temperature}/start{replica}.extxyz",
    log:
        "results/logs/generate_start/x{concentration}_T{temperature}_replica{replica}.log",
    benchmark:
        "results/benchmarks/generate_start/x{concentration}_T{temperature}_replica{replica}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=growing(10),
    params:
        code("generate_start", "composition", "generators/ionic_melt", "seeds"),
        composition=SYSTEM["composition"],
        density=SYSTEM["density"],
        charges=SYSTEM["charges"],
        radii=SYSTEM["radii"],
        n_units=config["simulate"]["formula_units"],
        md_ps=config["generate"]["md_ps"],
        seed=config["seed"],
    message:
        "Making the start of replica {wildcards.replica} at x = {wildcards.concentration}, {wildcards.temperature} K."
    script:
        "../scripts/generate_start.py"
