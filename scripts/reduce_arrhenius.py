"""Activation energies of D, conductivity and viscosity: fits along temperature, predictions, Ea along concentration."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import arrhenius_dataset, environment, logs, reduced

if TYPE_CHECKING:
    import pandas
    import xarray

log = logging.getLogger(__name__)

# column of the CSV: variable of the dataset
FITS = {
    "units": "quantity_units", "form": "form", "Ea_eV": "Ea", "Ea_std_eV": "Ea_std", "Ea_kJ_mol": "Ea_kJ_mol",
    "Ea_std_kJ_mol": "Ea_kJ_mol_std", "Ea_form_std_eV": "Ea_form_std", "Ea_temperature_K": "Ea_temperature",
    "p_value": "p_value", "n_temperatures": "n_temperatures", "n_resolved": "n_resolved",
    "Ea_arrhenius_eV": "Ea_arrhenius", "Ea_arrhenius_std_eV": "Ea_arrhenius_std", "ln_X0": "ln_X0",
    "ln_X0_std": "ln_X0_std", "cov_eV": "cov", "chi2": "chi2", "dof": "dof", "ln_odds_vtf": "ln_odds_vtf",
    "probability_vtf": "probability_vtf", "T0_K": "T0", "T0_std_K": "T0_std", "B_K": "B", "B_std_K": "B_std",
    "kink_p_value": "kink_p_value", "kink_below_K": "kink_below", "kink_above_K": "kink_above",
}  # fmt: skip
KINDS = {"numbers": "number", "uncertain": "uncertain", "upper_bounds": "upper bound", "gaps": "gap"}
BAND = {"": "", "_lower_68": "_lower_68", "_upper_68": "_upper_68", "_lower_95": "_lower_95", "_upper_95": "_upper_95"}


def fit_table(fits: "xarray.Dataset") -> "pandas.DataFrame":
    """One row for each concentration and quantity; temperatures of each kind as the user wrote them."""
    import pandas

    rows = []
    labels = fits["temperature_label"].values.astype(str)
    for x in range(fits.sizes["concentration"]):
        for name in fits["quantity"].values:
            one = fits.isel(concentration=x).sel(quantity=name)
            row = {"concentration": one["concentration_label"].item(), "quantity": name}
            row |= {column: one[key].item() for column, key in FITS.items()}
            used = one["used_as"].values.astype(str)
            row |= {f"temperatures_{kind}": " ".join(labels[used == word]) for kind, word in KINDS.items()}
            row["note"] = one["note"].item()
            rows.append(row)
            log.info("x = %s, %s: %s", row["concentration"], name, sentence(row))
    return pandas.DataFrame(rows)


def sentence(row: dict) -> str:
    """What the log says of a fit."""
    if not row["form"]:
        return row["note"]
    energy = f"Ea = {row['Ea_eV']:.3f} +- {row['Ea_std_eV']:.3f} eV ({row['form']})"
    return "; ".join(filter(None, [energy, row["note"]]))


def prediction_table(fits: "xarray.Dataset") -> "pandas.DataFrame":
    """One row for each concentration, quantity and temperature asked for: X and ln X with their bands."""
    import pandas

    rows = []
    for x in range(fits.sizes["concentration"]):
        for name in fits["quantity"].values:
            for T in range(fits.sizes["temperature_predicted"]):
                one = fits.isel(concentration=x, temperature_predicted=T).sel(quantity=name)
                row = {
                    "concentration": one["concentration_label"].item(),
                    "quantity": name,
                    "temperature": one["temperature_predicted_label"].item(),
                    "region": one["region_predicted"].item(),
                    "units": one["quantity_units"].item(),
                }
                row |= {f"value{part}": np.exp(one[f"ln_X_predicted{key}"].item()) for part, key in BAND.items()}
                row |= {f"ln_value{part}": one[f"ln_X_predicted{part}"].item() for part in ("", "_std", *[*BAND][1:])}
                row |= {"probability_vtf": one["probability_vtf"].item(), "note": one["note"].item()}
                rows.append(row)
    columns = None if rows else ["concentration", "quantity", "temperature", "region", "units", "value"]
    return pandas.DataFrame(rows, columns=columns)


def reduce_arrhenius(
    transport: Path, out_dataset: Path, out_table: Path, out_predictions: Path, predict: Sequence[str] = (),
    run_temperature: bool = False,
) -> None:  # fmt: skip
    """
    Fit every concentration and quantity of the grid's transport.nc; write arrhenius.nc, arrhenius.csv, predictions.csv.

    predict: temperatures (K) as the user wrote them; run_temperature: as in `arrhenius_dataset.fit_all`.
    """
    grid = reduced.load(transport)
    fits = arrhenius_dataset.dataset(arrhenius_dataset.fit_all(grid, run_temperature), grid, list(predict))
    reduced.save(fits, out_dataset)
    reduced.save_csv(fit_table(fits), out_table)
    reduced.save_csv(prediction_table(fits), out_predictions)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_arrhenius(
        Path(snakemake.input.transport),
        Path(snakemake.output.dataset),
        Path(snakemake.output.table),
        Path(snakemake.output.predictions),
        snakemake.params.predict,
        snakemake.params.run_temperature,
    )
