"""A miniature campaign with real pw.x labels, killed on its way, and what later changes of it re-run."""

import json

import yaml
from miniature import copy_with, planned, planned_with, rows, snakemake

FIGURES = [
    "arrhenius", "activation", "conductivity", "budget", "msd", "rdf", "solvation", "vdos", "conductivity_spectrum",
]  # fmt: skip
REDUCTIONS = {"reduce_grid": 3, "reduce_arrhenius": 1, "reduce_budget": 1} | {f"reduce_plot_{f}": 1 for f in FIGURES}
# What tells of all results is told again whenever one changes.
TOLD = {"audit_lineage": 1, "audit_cost": 1, "audit_methods": 1, "audit_answer": 1}
AUDITS = {"audit_conditions": 1, "audit_campaign": 1, **TOLD}


def test_a_killed_campaign_computes_no_label_twice(campaign):
    record = rows(campaign / "results/label/round0/summary.csv") + rows(campaign / "results/label/round1/summary.csv")
    outcomes = [row["outcome"] for row in record]
    assert outcomes.count("STORED") >= 1
    labels = {row["label_id"] for row in record if row["outcome"] in ("SUCCESS", "STORED")}
    assert labels == {path.stem for path in (campaign / "results/label/store").glob("*/*.extxyz")}
    assert len(labels) + len(rows(campaign / "results/label/round0/rejected.csv")) >= 12


def test_second_round_comes_from_the_first_potential(campaign):
    selected = (campaign / "results/explore/round0/selected.extxyz").read_text()
    assert selected.count("wall_contacts=") == 4 and selected.count("chosen=random") == 1 and "round=1" in selected
    walks = rows(campaign / "results/explore/round0/x0.50/walks.csv")
    assert [row["margin"] for row in walks] == ["", "", "hotter", "denser"]
    assert all(float(row["deviation_meV_A"]) > 0 for row in walks)
    covered = rows(campaign / "results/explore/conditions.csv")
    assert len(covered) == 6 and all(float(row["high_meV_A"]) > 0 for row in covered)
    manifest = json.loads((campaign / "results/train/round1/nequip/seed1/potential.json").read_text())
    assert manifest["n_train"] + manifest["n_valid"] + manifest["n_test"] == 16


def test_results_have_the_promised_columns(campaign):
    table = rows(campaign / "results/reduce/nequip/arrhenius.csv")
    promised = {"concentration", "quantity", "Ea_eV", "Ea_std_eV", "ln_X0", "ln_X0_std", "cov_eV", "n_temperatures"}
    assert promised <= set(table[0])
    assert {(x, f"D {s}") for x in ("0.25", "0.50") for s in ("Li", "K", "Cl")} <= {
        (row["concentration"], row["quantity"]) for row in table
    }
    for figure in FIGURES:
        path = campaign / f"results/reduce/nequip/figures/{figure}.svg"
        assert "</svg>" in path.read_text()
        assert path.with_suffix(".pdf").read_bytes()[:4] == b"%PDF" and rows(path.with_suffix(".csv"))
    assert float(rows(campaign / "results/audit/cost.csv")[-1]["core_h"]) > 0
    assert len(rows(campaign / "results/audit/nequip/conditions.csv")) == 6


def test_touching_nothing_runs_nothing(campaign):
    assert planned(campaign) == {}


def test_convergence_of_the_labels_compares_levels_and_computes_none_twice(campaign):
    jobs = planned(campaign)
    assert not [rule for rule in jobs if rule.startswith("label_convergence")]
    run = snakemake(campaign, "--", "label_convergence")
    assert run.returncode == 0, run.stdout[-20000:]
    folder = campaign / "results/label/convergence"
    table = {row["level"]: row for row in rows(folder / "convergence.csv")}
    assert {level: row["n_structures"] for level, row in table.items()} == {"asked": "2", "20Ry": "2", "25Ry": "2"}
    assert {row["outcome"] for row in rows(folder / "levels/asked.csv")} == {"STORED"}
    assert {row["outcome"] for row in rows(folder / "levels/20Ry.csv")} == {"SUCCESS"}
    assert float(table["asked"]["force_rms_meV_A"]) > float(table["20Ry"]["force_rms_meV_A"]) > 0
    # what a stored label had cost is in the record of its round, unless a job computed it whose Snakemake was killed
    assert bool(int(table["asked"]["n_timed"])) == bool(table["asked"]["core_s_per_label"])
    assert int(table["20Ry"]["n_timed"]) == 2 and float(table["20Ry"]["core_s_per_label"]) > 0
    assert "</svg>" in (folder / "convergence.svg").read_text()
    assert planned(campaign) == {"reduce_budget": 1, "reduce_plot_budget": 1, **TOLD}  # it knows of the labels now
    assert snakemake(campaign).returncode == 0
    assert planned(campaign) == {}


def test_a_new_temperature_runs_its_md_and_the_reductions_behind_it(campaign):
    """At the end of the list it joins the last batch of each concentration, whose other run is only judged again."""
    jobs = planned(campaign, temperatures=["1000", "1100", "1200", "1050"])
    new = {"explore_coverage": 1, "generate_start": 2, "simulate_md": 2, "simulate_judge": 4}
    new |= {f"reduce_{name}": 4 for name in ("transport", "structure", "spectra")}
    assert jobs == {**new, **REDUCTIONS, **AUDITS}


def test_other_batches_compute_nothing_again(campaign, tmp_path):
    folder = copy_with(campaign, tmp_path / "copy", simulate={"batch": 5})
    facts = {path: path.stat().st_mtime_ns for path in folder.glob("results/simulate/**/facts.json")}
    assert planned_with(folder)["simulate_md"] == 2
    assert snakemake(folder, config="config/changed.yaml").returncode == 0
    assert len(facts) == 6 and {path: path.stat().st_mtime_ns for path in facts} == facts
    assert planned_with(folder) == {}


def test_a_new_concentration_is_labelled_and_trains_again(campaign):
    jobs = planned(campaign, concentrations=["0.25", "0.50", "0.75"])
    assert jobs["generate_structures"] == 1 and jobs["generate_start"] == 3
    # two batches of round 0 for the new one, and what the walks of all three then find
    assert jobs["label_structures"] == 2 and jobs["label_selected"] == 1
    assert jobs["train_potential"] == 4 and jobs["simulate_md"] == 6 and jobs["simulate_judge"] == 9
    run = snakemake(campaign, "--dry-run", config="config/changed.yaml")
    assert "any new label trains it again" in run.stdout


def test_a_concentration_that_joins_later_is_explored_first_and_changes_no_earlier_round(campaign):
    explore = yaml.safe_load((campaign / "config/test.yaml").read_text())["explore"]
    later = {**explore, "rounds": 2, "joined": {"concentrations": {"0.75": 1}}}
    jobs = planned(campaign, concentrations=["0.25", "0.50", "0.75"], explore=later)
    assert "label_structures" not in jobs and jobs["explore_md"] == 3 and jobs["explore_select"] == 1
    assert jobs["label_selected"] == 1 and jobs["train_potential"] == 2 and jobs["train_final"] == 2


def test_a_plot_script_redraws_its_figure_only(campaign):
    script = campaign / "scripts/reduce_plot_rdf.py"
    figure = campaign / "results/reduce/nequip/figures/rdf.svg"
    text, drawn = script.read_text(), figure.read_text()
    script.write_text(text + '\nopen(snakemake.output[0], "w").write("edited")\n')
    jobs = planned(campaign)
    assert snakemake(campaign, "--", str(figure.relative_to(campaign))).returncode == 0
    edited = figure.read_text()
    script.write_text(text)
    assert snakemake(campaign, "--", str(figure.relative_to(campaign))).returncode == 0
    told = {rule: 1 for rule in TOLD if rule != "audit_methods"}  # which reads no figure
    assert jobs == {"reduce_plot_rdf": 1, **told}
    assert edited == "edited" and figure.read_text() == drawn


def test_comments_run_nothing_and_other_code_only_what_it_decides(campaign):
    scripts = [campaign / f"scripts/{name}.py" for name in ("label_structures", "train_potential", "simulate_md")]
    modules = [campaign / f"scripts/thermoweave/{name}.py" for name in ("gate", "potentials/nequip", "barostat", "msd")]
    texts = {path: path.read_text() for path in scripts + modules}
    for path, text in texts.items():
        path.write_text(f"{text}\n\n# A remark.\n")
    commented = planned(campaign)
    modules[-1].write_text(texts[modules[-1]] + "\nWINDOW = 2\n")
    changed = planned(campaign)
    for path, text in texts.items():
        path.write_text(text)
    assert commented == {}
    assert changed["reduce_transport"] == changed["simulate_judge"] == 6
    assert not any(rule.startswith(("simulate_md", "train", "label")) for rule in changed)
    assert planned(campaign) == {}


def test_reduce_settings_leave_runs_alone(campaign):
    reduce = yaml.safe_load((campaign / "config/test.yaml").read_text())["reduce"]
    jobs = planned(campaign, reduce={**reduce, "rdf_bin_A": 0.25})
    drawn = {"reduce_plot_rdf": 1, "reduce_plot_solvation": 1}
    assert jobs == {"reduce_structure": 6, "reduce_grid": 1, **drawn, **TOLD}
    assert planned(campaign, reduce={**reduce, "memory_MB": 50}) == {}


def test_a_stricter_verdict_runs_no_md_again(campaign):
    simulate = yaml.safe_load((campaign / "config/test.yaml").read_text())["simulate"]
    simulate["health"]["max_wall_contacts"] = 0.5
    jobs = planned(campaign, simulate=simulate)
    reduced = {f"reduce_{name}": 6 for name in ("transport", "structure", "spectra")}
    assert jobs == {"simulate_judge": 6, **reduced, **REDUCTIONS, **AUDITS}


def test_a_wrong_key_stops_before_any_job(campaign):
    config = yaml.safe_load((campaign / "config/test.yaml").read_text())
    config["simulate"]["protocol"]["timestep_s"] = config["simulate"]["protocol"].pop("timestep_fs")
    (campaign / "config/wrong.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    run = snakemake(campaign, config="config/wrong.yaml")
    assert run.returncode != 0
    assert "simulate.protocol.timestep_s: unknown key (did you mean timestep_fs?)" in run.stdout
    assert "Job stats" not in run.stdout


def test_a_config_given_replaces_the_default_one(campaign):
    """Merged with config/config.yaml, a campaign would silently have its salts and hyperparameters too."""
    config = yaml.safe_load((campaign / "config/test.yaml").read_text())
    config["system"] = {
        "charges": {"K": 1, "Cl": -1},
        "radii": {"K": 1.463, "Cl": 1.585},
        "composition": {"KCl": [1, 1]},
        "density": {"rule": "additive_volumes", "coefficients": {"KCl": [2.1359, -5.831e-4]}},
    }
    config["reduce"]["solvation"]["centre"] = "K"
    (campaign / "config/kcl.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    run = snakemake(campaign, "--dry-run", "results/generate/x0.50/structures.extxyz", config="config/kcl.yaml")
    assert run.returncode == 0, run.stdout


def test_report_shows_figures_tables_and_captions(campaign):
    run = snakemake(campaign, "--report", "results/report.html")
    assert run.returncode == 0, run.stdout
    report = (campaign / "results/report.html").read_text()
    for part in (
        "coverage.svg",
        "calibration.svg",
        "coverage.html",
        "arrhenius.svg",
        "vdos.svg",
        "parity.svg",
        "conditions.html",
        "errors.html",
        "cost.html",
    ):
        assert part in report


def test_sick_runs_are_gaps_and_fail_the_audit(campaign):
    """Last, because it runs all trajectories again under a limit that none can keep."""
    config = yaml.safe_load((campaign / "config/test.yaml").read_text())
    config["simulate"]["health"]["max_temperature_ratio"] = 1.0001
    (campaign / "config/sick.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    wanted = ["results/audit/nequip/campaign.json", "results/reduce/nequip/figures/arrhenius.svg"]
    run = snakemake(campaign, "--", *wanted, config="config/sick.yaml")
    assert run.returncode != 0
    summary = run.stdout.partition("1 job failed:")[2]
    assert "audit_campaign backend=nequip\n      RuntimeError: " in summary
    assert "6 of 6 runs failed the health gate" in summary and "config/sick.yaml" in summary
    assert not (campaign / "results/audit/nequip/campaign.json").exists()
    table = rows(campaign / "results/reduce/nequip/transport.csv")
    assert all(row["D_m2_s"] == "" for row in table) and all("target" in row["reason"] for row in table)
    assert (campaign / "results/reduce/nequip/figures/arrhenius.svg").exists()
