"""VDOS figure: for each species a ridge of temperatures at each concentration, and a heat map of all conditions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from thermoweave import environment, figures, logs, reduced, ridge

if TYPE_CHECKING:
    import matplotlib.axes
    import xarray

SHOWN = 0.995  # share of the modes below the end of the axis
COLUMNS = {"vdos_per_THz": "vdos", "vdos_std_per_THz": "vdos_std", "n_atoms": "n_atoms"}


def last_frequency(grid: "xarray.Dataset") -> float:
    """The frequency below which nearly all modes of every species lie, THz: the rest of the axis would be empty."""
    total = grid["vdos"].sum(["temperature", "concentration"])
    share = total.cumsum("frequency") / total.sum("frequency")
    beyond = grid["frequency"].where(share >= SHOWN).min("frequency")
    return float(beyond.max())


def draw_map(ax: "matplotlib.axes.Axes", one: "xarray.Dataset", end: float) -> None:
    """VDOS per atom of one species over frequency and condition: a block for each concentration, cold to hot."""
    frequency = np.linspace(0, end, 200)
    rows = one["per_atom"].transpose("concentration", "temperature", "frequency")
    image = [
        np.interp(frequency, row["frequency"], row) if row.size else np.full(len(frequency), np.nan)
        for row in (rows[x, T].dropna("frequency") for x in range(rows.shape[0]) for T in range(rows.shape[1]))
    ]
    mesh = ax.pcolormesh(frequency, np.arange(len(image)) + 0.5, image, cmap="viridis", vmin=0, shading="nearest")
    mesh.set_rasterized(True)
    n_T = rows.shape[1]
    for edge in range(n_T, len(image), n_T):
        ax.axhline(edge, color="white", linewidth=1.5)
    labels = [f"x = {label}" for label in one["concentration_label"].values]
    ax.set_yticks((np.arange(len(labels)) + 0.5) * n_T, labels)
    ax.set_facecolor("0.9")
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.figure.colorbar(mesh, ax=ax, pad=0.02, aspect=14).outline.set_visible(False)


def plot_vdos(spectra: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's spectra.nc."""
    grid = reduced.load(spectra)
    atoms = grid["n_atoms"].where(grid["n_atoms"] > 0)
    grid = grid.assign(per_atom=grid["vdos"] / atoms, per_atom_std=grid["vdos_std"] / atoms)
    figures.style()
    fig, axes = figures.panels(grid.sizes["species"], grid.sizes["concentration"] + 1)
    there = bool(grid["vdos"].notnull().any())
    end = last_frequency(grid) if there else 1.0
    for row, species in zip(axes, grid["species"].values, strict=True):
        one = grid.sel(species=species)
        offset = ridge.step(one["per_atom"])
        for ax, x in zip(row[:-1], grid["concentration"].values, strict=True):
            ridge.draw(ax, one.sel(concentration=x), "per_atom", offset)
            ridge.limits(ax, one["per_atom"], offset)
            ax.set_xlim(0, end)
            ax.tick_params(labelleft=ax is row[0])
        row[0].set_ylabel(f"VDOS of {species} (modes per atom\nand THz), each T {offset:g} higher")
        if there:
            draw_map(row[-1], one, end)
    for ax in axes[-1]:
        ax.set_xlabel("frequency (THz)")
    figures.concentration_titles(axes[:, :-1], grid)
    axes[0, -1].set_title("modes per atom and THz", color=figures.INK)
    figures.temperature_legend(fig, grid)
    notes = figures.gap_notes(grid, "species")
    notes += figures.gap_notes(grid.assign(reason=grid["note"].expand_dims("any", -1).assign_coords(any=[""])), "any")
    figures.footnote(fig, figures.uncovered(coverage) + notes)
    table = reduced.table(grid, ("species", "frequency"), COLUMNS)
    figures.publish(fig, out_figure, table.dropna(subset=["vdos_per_THz"]))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_vdos(Path(snakemake.input.spectra), Path(snakemake.output[0]), snakemake.input.coverage)
