"""The methods text says what the records say, counts what failed, and claims nothing that was not done."""

import hashlib
import json
import re

import numpy as np
import pytest
from methods_campaign import MANIFEST, Campaign, energy
from thermoweave import bibtex


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


def test_settings_and_versions_are_those_of_the_campaign(campaign):
    text = campaign.text()
    for part in (
        "Thermoweave 0.1.0 [@Thermoweave], a workflow for Snakemake 9.27.1",
        "the ions Li⁺ and Cl⁻ in mixtures whose composition is linear in *x*, from LiCl at *x* = 0 to 0.5 LiCl + "
        "0.5 Li at *x* = 1: *x* = 0.20 at 900, 1000 and 1100 K, 3 conditions in all.",
        "The first 10 structures of 8 atoms were random packings",
        "with pw.x 7.2 (Quantum ESPRESSO) [@Giannozzi2009; @Giannozzi2017].",
        "The functional was PBE [@Perdew1996], with plane waves up to 40 Ry, a 2 × 2 × 1 Monkhorst–Pack grid "
        "[@Monkhorst1976], marzari-vanderbilt smearing of 0.01 Ry [@Marzari1999], and an estimated accuracy of "
        "2.5 × 10⁻⁷ Ry",
        "Dispersion was corrected by grimme-d3 [@Grimme2010]. Further keys of pw.x's namelist &SYSTEM were nspin = 2.",
        "One NequIP potential [@Musaelian2023; @Tan2025] was trained by nequip 0.19.1 and PyTorch 2.13.0 [@Paszke2019] "
        "with seed 1 on 8 labels, with 1 for validation and 1 held out as a test.",
        "model Allegro, r_max 5 Å, mlp_width 32.",  # and no num_features: that is NequIP's
        "50.0 ± 5.0 meV/Å a component of the forces.",
        "no label had Cl-Cl near each other",
        "3 simulations, 1 independent run of each condition, were made of 64 atoms in cubic periodic cells with ASE "
        "3.29.0 [@Larsen2017]",
        "every 8 fs (500 frames)",
        "time constant of 0.1 ps, production none (NVE).",
    ):
        assert part in text, part


def test_nothing_is_claimed_that_was_not_done(campaign):
    text = campaign.text()
    for key in (
        "Birge1932", "Dunweg1993", "Bernetti2020", "Zhang2020", "Gelman2006", "Searle1992", "Tobin1958", "Kass1995",
        "Andrews1993", "Hoeting1999", "Schwarz1978", "Sos1958", "Impey1983", "Thomas2013", "Ashcroft1967", "Fisher1935",
        "Hansen2013", "vanHove1954", "Ramirez2004", "Batzner2022",
    ):  # fmt: skip
        assert key not in text
    assert "Active learning" not in text
    assert "Spot checks" not in text
    assert "the records say" not in text  # there is no viscosity to know anything of
    missing = text.partition("**Not done, or not known.** ")[2].partition("\n")[0]
    assert missing == (
        "No structures were chosen by active learning. Labels were not compared with labels of higher settings. "
        "Labels have no stress: pressures of the potentials are untested. No frame of a production run was labelled as "
        "a check. Each condition was simulated once: how far independent runs differ is not known. All runs of a "
        "condition had the same potential: how far potentials of other seeds differ is not known. *D* was nowhere "
        "corrected for the size of the cell. Cells of other sizes were not simulated."
    )


def test_rejected_labels_and_failed_attempts_are_counted(campaign):
    rows = campaign.attempts[0]
    rows[3] = campaign.attempt(3, "UNCONVERGED")
    rows.append(campaign.attempt(3, "UNCONVERGED", "gentle mixing"))
    rows[4] = campaign.attempt(4, "TOO_CLOSE") | {"program": ""}
    rows[5] = campaign.attempt(5, "UNCONVERGED")
    rows.append(campaign.attempt(5, rung="repeated"))
    text = campaign.text()
    assert "Of 10 structures sent to label, 8 were accepted and 2 rejected (1 UNCONVERGED, 1 TOO_CLOSE)." in text
    assert "3 attempts at a label failed, those of rejected structures included." in text
    assert "1 label came of a repeated attempt (1 after “repeated”" in text
    assert "resampling [@Fisher1935; @Westfall1993]: the group that looks worst, x0.20, lost 2 of 10 (p = 1)." in text


def test_failed_runs_are_told_with_their_reasons(campaign):
    campaign.replicas = {
        1: {"passed": False, "reason": "too hot at 1.2 ps"},
        2: {"half_step": True, "timestep_fs": 1.0},
    }
    text = campaign.text()
    assert "Of 3 runs, 2 passed. One run was repeated with half the time step." in text
    assert "Failed and left out: *x* = 0.20, 1000 K, run 1 (too hot at 1.2 ps)." in text
    assert "a time step of 1 and 2 fs" in text


def test_replicas_of_several_potentials(campaign):
    campaign.manifests = [MANIFEST, {**MANIFEST, "seed": 2, "compiled": "model.pt2"}]
    campaign.config["train"]["seeds"] = ["1", "2"]
    campaign.n_replicas = 2
    campaign.budget = {"replica": "3", "committee": "2", "label": "–"}
    text = campaign.text()
    assert "2 independent runs of each condition" in text
    assert "the compiled potentials of seeds 1 and 2" in text
    assert "unweighted means over up to 2 runs" in text
    assert "Birge ratio [@Birge1932]" in text
    assert (
        "by variance components [@Searle1992], has a figure for the length of the runs, differences between runs"
        in text
    )
    assert "simulated once" not in text
    assert "had the same potential" not in text


def test_values_bounds_and_refusals_are_counted(campaign):
    campaign.values = {
        "D": [1, 1, 1, np.nan, np.nan, np.nan], "D_upper_bound": [2, 2, 2, 1, np.nan, np.nan],
        "D_corrected": [1] + 5 * [np.nan], "conductivity": [1, 1, 1], "viscosity": [1, np.nan, np.nan],
        "viscosity_lower_bound": [1, 1, 1],
    }  # fmt: skip
    text = campaign.text()
    assert "Of *D*, 3 of 6 values have an error bar, of 1 only an upper 95 % bound is known and 2 were refused." in text
    assert "Beside *D*, that of an infinite cell [@Dunweg1993; @Yeh2004] is given for 1 of 6 values" in text
    assert "[@Lepski1991]: all 3 values have an error bar." in text
    assert "[@Daivis1994]: 1 of 3 values has an error bar and of 2 only a lower 95 % bound is known." in text
    assert "Of the viscosity, the records say “no label had a stress”." in text


def test_fits_are_told_by_kind(campaign):
    campaign.energies = [
        energy("D Li", ln_odds_vtf="-0.2", kink_p_value="0.5"),
        energy("D Cl", form="VTF", ln_odds_vtf="4", kink_p_value="0.01", temperatures_upper_bounds="900"),
        energy("conductivity", ln_odds_vtf="0.1", note="a line does not describe the points within their errors"),
        energy("viscosity", form=""),
    ]
    campaign.config["reduce"]["predict"] = ["800"]
    campaign.curve = 0.2
    text = campaign.text()
    assert "3 of 4 series could be fitted." in text
    assert "on 1/*T* [@Aitken1936] (2 series) and by maximum likelihood" in text
    assert "[@Tobin1958; @Amemiya1984; @Efron1978] (1 series)." in text
    assert "[@Kass1995]; the latter was chosen for 1 of 3 series. In 1 of 3 fits a line does not describe" in text
    assert "[@Andrews1993], has p below 0.05 in 1 of 2 series." in text
    assert "Values at 800 K come from both forms" in text
    assert "[@Schwarz1978]" in text


def test_active_learning_and_what_it_covers(campaign):
    campaign.attempts.append([campaign.attempt(20), campaign.attempt(21, "UNCONVERGED")])
    campaign.coverage = [{"round": "0", "verdict": verdict} for verdict in ("covered", "covered", "not covered")]
    text = campaign.text()
    assert "Further structures were chosen in 1 round by a committee" in text
    assert "This gave 1 label beside the 10 of the first structures." in text
    assert "By the runs of round 0, 2 of 3 conditions count as covered" in text
    assert "No structures were chosen" not in text


def test_checks_that_were_made(campaign):
    interval = {"value": 8.95, "low": 8.1, "high": 9.8}
    campaign.convergence = {
        "reference": "60Ry",
        "levels": {
            "asked": {"n_structures": 6, "note": "", "force_rms_meV_A": interval, "force_relative_percent": interval},
            "60Ry": {"changes": {"ecutwfc": 60}},
        },
    }
    campaign.spot_checks = {
        "asked": "18", "labelled": "16", "rejected": "2", "force_ratio": "1.04", "force_ratio_low": "0.92",
        "force_ratio_high": "1.18", "force_rmse_meV_A": "52",
    }  # fmt: skip
    text = campaign.text()
    assert "Against labels with ecutwfc = 60, on 6 structures, forces differ by 9 meV/Å rms" in text.replace(
        "8.9 m", "9 m"
    )
    assert (
        "18 frames of the production runs, spread evenly in time [@Sos1958], were sent to label: 16 labels, 2 rej"
        in text
    )
    assert "1.04 times that on the labels held out (68 % interval 0.92 to 1.18) [@Efron1982; @Welch1947]." in text
    assert "not compared" not in text
    assert "as a check." not in text


def test_a_pressure_has_its_barostat(campaign):
    campaign.config["simulate"]["protocol"]["density"] = {"pressure_GPa": 0, "npt_ps": 20, "barostat_ps": 1}
    text = campaign.text()
    assert "20 ps at 0 GPa with an isotropic stochastic cell rescaling [@Bernetti2020] (time constant 1 ps)" in text
    assert "The mean densities were 1.5 g/cm³." in text


@pytest.mark.parametrize(
    ("same", "part"),
    [
        (True, "Li: Goedecker–Teter–Hutter [@Goedecker1996; @Hartwigsen1998] (Li.gth, sha256 {}…)."),
        (False, "Li (sha256 0123456789ab…) [ADD: source of the pseudopotentials of Li]."),
    ],
)
def test_a_pseudopotential_is_described_only_if_it_is_that_of_the_labels(campaign, same, part):
    file = campaign.path("Li.gth", "Li GTH-LDA-q1\n3 1 19981001\n10 1 1 0 2001 0\n")
    campaign.pseudopotentials = {"Li": file}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    if same:
        write, frames = (
            campaign.frames,
            lambda: campaign.path("labels.extxyz", write().read_text().replace("0123456789ab", digest)),
        )
        campaign.frames = frames
    assert part.format(digest) in campaign.text()


def test_what_no_record_says_is_left_to_the_author(campaign):
    files = campaign.write()
    assert "[ADD: source of the densities]" in files["md"]
    assert "<mark>[ADD: source of the densities]</mark>" in files["html"]
    assert r"\textbf{[ADD: source of the densities]}" in files["tex"]


def test_other_labellers_have_their_sentences(campaign):
    tblite = {"method": "GFN1-xTB", "accuracy": 1.0, "electronic_temperature": 300.0}
    label = {key: campaign.config["label"][key] for key in ("stress", "gate")}
    campaign.config["label"] = {**label, "tblite": tblite}
    assert "The method was GFN1-xTB [@Grimme2017], with an accuracy of 1 and an electronic" in campaign.text()
    campaign.config["label"] = {**label, "ase": {"calculator": "a.b.C", "arguments": {"k": 1}, "environment": "x"}}
    assert 'The ASE calculator was a.b.C with {"k": 1} [ADD: reference of a.b.C].' in campaign.text()


def test_three_forms_cite_the_same_in_the_same_order(campaign, tmp_path):
    files = campaign.write()
    keys = list(dict.fromkeys(re.findall(r"@(\w+)", files["md"])))
    (tmp_path / "read.bib").write_text(files["bib"])
    assert list(bibtex.read(tmp_path / "read.bib")) == keys
    assert [each["key"] for each in json.loads(files["json"])] == keys
    assert list(dict.fromkeys(",".join(re.findall(r"\\cite\{(.*?)\}", files["tex"])).split(","))) == keys
    assert re.findall(r'<li id="reference-(\w+)">', files["html"]) == keys
    numbers = re.findall(r'<a href="#reference-(\w+)">(\d+)</a>', files["html"])
    assert {key: int(number) for key, number in numbers} == {key: k for k, key in enumerate(keys, 1)}


def test_no_mark_is_left_over_and_spaces_are_single(campaign):
    files = campaign.write()
    body = re.sub(r"<style>.*?</style>", "", files["html"], flags=re.S)
    assert "[@" not in body + files["tex"]
    assert not re.search(r"\*\w+\*", body + files["tex"])
    assert not re.search(r" {2,}| [.,;:](?!\w)|\.\.(?!\.)|\(\)| \)", files["md"])
    assert not re.search(r"(?<!\\)[%&#_](?![^\n]*\n\n\\paragraph\{Campaign)", files["tex"].partition("\n")[2])
