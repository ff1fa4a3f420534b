"""The account of the whole campaign: what each result rests on, what it cost, how it was made, what came out.

REQUIRED INPUTS: RESULTS (results.smk), and the records of all stages
OUTPUTS:
    results/audit/cost*.csv, cost.json, cost.html   core-hours by rule, label, condition and figure
    results/audit/lineage.json, .html               what each result rests on, down to the pseudopotentials
    results/audit/methods.*, references.bib         a paragraph for the paper, from the facts of the run
    results/audit/answer.html                       what a reader opens first
"""


rule audit_lineage:
    input:
        RESULTS,
        label_summaries,
    output:
        json="results/audit/lineage.json",
        html=report(
            "results/audit/lineage.html",
            caption="../report/lineage.rst",
            category="4. Lineage",
            labels={"figure": "what each result rests on", "potential": "all"},
        ),
    log:
        "results/logs/audit_lineage.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("audit_lineage", "lineage", "trace"),
        pseudopotentials=pseudopotential_files,
    message:
        "Following every result back to the labels."
    script:
        "../scripts/audit_lineage.py"


rule audit_methods:
    input:
        summaries=label_summaries,
        frames=lambda wildcards: rounds.labels_until(config, last_round()),
        coverage=COVERAGE,
        manifests=expand(trained("potential.json"), backend=BACKENDS, seed=SEEDS),
        compiled=expand(trained("compiled/potential.json"), backend=BACKENDS, seed=SEEDS),
        verdicts=[path for backend in BACKENDS for path in verdicts(backend)],
        transport=expand("results/reduce/{backend}/transport.nc", backend=BACKENDS),
        structure=expand("results/reduce/{backend}/structure.nc", backend=BACKENDS),
        spectra=expand("results/reduce/{backend}/spectra.nc", backend=BACKENDS),
        arrhenius=expand("results/reduce/{backend}/arrhenius.nc", backend=BACKENDS),
        energies=expand("results/reduce/{backend}/arrhenius.csv", backend=BACKENDS),
        budget=expand("results/reduce/{backend}/budget.csv", backend=BACKENDS),
        spot_checks=expand(SPOT_TABLES, backend=BACKENDS),
        references=os.path.relpath(f"{workflow.basedir}/resources/references.bib"),
    output:
        md="results/audit/methods.md",
        html=report(
            "results/audit/methods.html",
            caption="../report/methods.rst",
            category="5. Methods",
            labels={"figure": "a paragraph to paste and edit", "potential": "all"},
        ),
        tex="results/audit/methods.tex",
        bib="results/audit/references.bib",
        json="results/audit/citations.json",
    log:
        "results/logs/audit_methods.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code(
            "audit_methods",
            "citations",
            "bibtex",
            "methods_text",
            "methods_text_labels",
            "methods_text_theory",
            "methods_text_potentials",
            "methods_text_simulations",
            "methods_text_transport",
            "methods_text_structure",
            "methods_text_limits",
            "rejections",
        ),
        backends=BACKENDS,
        config=campaign.physics(config),
        versions={"thermoweave": VERSION, "snakemake": snakemake_version},
        pins=lambda wildcards: {
            name: methods_text_limits.pins(f"{workflow.basedir}/envs/{name}.yaml") for name in ["analysis", *BACKENDS]
        },
        convergence=label_convergence_known,
        pseudopotentials=pseudopotential_files,
    message:
        "Writing the methods paragraph."
    script:
        "../scripts/audit_methods.py"


rule audit_answer:
    input:
        energies=expand("results/reduce/{backend}/arrhenius.csv", backend=BACKENDS),
        budget=expand("results/reduce/{backend}/budget.csv", backend=BACKENDS),
        conditions=expand("results/audit/{backend}/conditions.csv", backend=BACKENDS),
        points=expand("results/reduce/{backend}/figures/arrhenius.csv", backend=BACKENDS),
        arrhenius=expand("results/reduce/{backend}/figures/arrhenius.svg", backend=BACKENDS),
        vdos=expand("results/reduce/{backend}/figures/vdos.svg", backend=BACKENDS),
        conductivity_spectrum=expand("results/reduce/{backend}/figures/conductivity_spectrum.svg", backend=BACKENDS),
        errors=expand("results/audit/{backend}/errors.csv", backend=BACKENDS),
        parity=expand("results/train/final/{backend}/seed{seed}/figures/parity.svg", backend=BACKENDS, seed=SEEDS),
        coverage=COVERAGE,
        coverage_figures=[path for path in COVERAGE_FIGURES if path.endswith("coverage.svg")],
        cost="results/audit/cost.csv",
        cost_figures="results/audit/cost_figures.csv",
        lineage="results/audit/lineage.json",
        methods="results/audit/methods.html",
    output:
        report(
            "results/audit/answer.html",
            caption="../report/answer.rst",
            category="0. Answer",
            labels={"figure": "the answer", "potential": "all"},
        ),
    log:
        "results/logs/audit_answer.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code(
            "audit_answer",
            "answer_html",
            "answer_results",
            "answer_trust",
            "answer_origin",
            "lineage",
            "trace",
            "tables",
            "budget",
        ),
        backends=BACKENDS,
        title=config["archive"]["title"],
    message:
        "Writing the answer."
    script:
        "../scripts/audit_answer.py"


rule audit_cost:
    input:
        lineage="results/audit/lineage.json",
    output:
        csv="results/audit/cost.csv",
        labels="results/audit/cost_labels.csv",
        conditions="results/audit/cost_conditions.csv",
        figures="results/audit/cost_figures.csv",
        json="results/audit/cost.json",
        html=report(
            "results/audit/cost.html",
            caption="../report/cost.rst",
            category="3. Cost",
            labels={"figure": "core-hours by stage, label, condition and figure", "potential": "all"},
        ),
    log:
        "results/logs/audit_cost.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code(
            "audit_cost",
            "answer_html",
            "cost",
            "cost_page",
            "cost_shares",
            "job_attempts",
            "label_record",
            "lineage",
            "tables",
        ),
        power=config["audit"].get("core_power_W"),
    message:
        "Adding up what the campaign cost."
    script:
        "../scripts/audit_cost.py"
