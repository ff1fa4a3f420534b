"""What was run, and whether it may be believed.

REQUIRED INPUTS: the records of all stages
OUTPUTS:
    results/audit/{backend}/conditions.csv, .html   one line a run
    results/audit/{backend}/campaign.json           exists only if the campaign passes
    results/audit/{backend}/errors.csv, .html       errors of the potential by condition
"""


rule audit_conditions:
    input:
        verdicts=lambda wildcards: verdicts(wildcards.backend),
        errors=expand(trained("errors.json"), seed=SEEDS, allow_missing=True),
        transport="results/reduce/{backend}/transport.csv",
        spot_checks=SPOT_TABLES,
        coverage=COVERAGE,
    output:
        csv="results/audit/{backend}/conditions.csv",
        html=report(
            "results/audit/{backend}/conditions.html",
            caption="../report/conditions.rst",
            category="1. Results",
            labels={"figure": "condition table", "potential": "{backend}"},
        ),
    log:
        "results/logs/audit_conditions/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("audit_conditions"),
    message:
        "Writing the condition table of {wildcards.backend}."
    script:
        "../scripts/audit_conditions.py"


rule audit_errors:
    input:
        errors=expand(trained("errors.json"), seed=SEEDS, allow_missing=True),
    output:
        csv="results/audit/{backend}/errors.csv",
        html=report(
            "results/audit/{backend}/errors.html",
            caption="../report/errors.rst",
            category="2. Potential",
            labels={"figure": "errors by condition", "seed": "all"},
        ),
    log:
        "results/logs/audit_errors/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("audit_errors"),
    message:
        "Writing the errors of {wildcards.backend} by condition."
    script:
        "../scripts/audit_errors.py"


rule audit_campaign:
    input:
        summaries=label_summaries,
        spot_checks=SPOT_SUMMARIES,
        verdicts=lambda wildcards: verdicts(wildcards.backend),
    output:
        "results/audit/{backend}/campaign.json",
    log:
        "results/logs/audit_campaign/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("audit_campaign", "rejections"),
        **config["audit"],
    message:
        "Auditing the campaign with {wildcards.backend}."
    script:
        "../scripts/audit_campaign.py"
