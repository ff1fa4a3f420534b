"""VDOS figure: vibrational density of states per atom, a panel for each species and concentration."""

from pathlib import Path
from typing import TYPE_CHECKING

from thermoweave import environment, figures, logs, reduced

if TYPE_CHECKING:
    import xarray

SHOWN = 0.995  # share of the modes below the end of the axis


def last_frequency(grid: "xarray.Dataset") -> float:
    """The frequency below which nearly all modes of every species lie, THz: the rest of the axis would be empty."""
    total = grid["vdos"].sum(["temperature", "concentration"])
    share = total.cumsum("frequency") / total.sum("frequency")
    beyond = grid["frequency"].where(share >= SHOWN).min("frequency")
    return float(beyond.max())


def plot_vdos(spectra: Path, out_figure: Path) -> None:
    """Draw the figure (SVG) from the grid's spectra.nc."""
    grid = reduced.load(spectra)
    figures.style()
    fig, axes = figures.panels(grid.sizes["species"], grid.sizes["concentration"], sharex=True, sharey="row")
    colors = figures.temperature_colors(grid["temperature"].values)
    frequency = grid["frequency"].values
    for row, species in zip(axes, grid["species"].values, strict=True):
        for ax, x in zip(row, grid["concentration"].values, strict=True):
            for T, color in colors.items():
                curve = grid.sel(species=species, concentration=x, temperature=T)
                atoms = max(1, int(curve["n_atoms"]))
                vdos, std = curve["vdos"].values / atoms, curve["vdos_std"].values / atoms
                ax.fill_between(frequency, vdos - std, vdos + std, color=color, alpha=0.3, linewidth=0)
                ax.plot(frequency, vdos, color=color, linewidth=1.1)
        row[0].set(ylabel=f"VDOS of {species}\n(modes per atom and THz)", ylim=(0, None))
    for ax in axes[-1]:
        ax.set_xlabel("frequency (THz)")
    if grid["vdos"].notnull().any():
        axes[0, 0].set_xlim(0, last_frequency(grid))
    figures.concentration_titles(axes, grid)
    figures.temperature_legend(fig, grid)
    figures.footnote(fig, figures.gap_notes(grid, "species"))
    figures.save(fig, out_figure)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_vdos(Path(snakemake.input.spectra), Path(snakemake.output[0]))
