"""RDF figure: g(r) of each pair of species, a panel for each pair and concentration."""

from collections.abc import Sequence
from pathlib import Path

from thermoweave import environment, figures, logs, reduced


def plot_rdf(structure: Path, out_figure: Path, coverage: Sequence[Path] = ()) -> None:
    """Draw the figure, with its table, from the grid's structure.nc."""
    grid = reduced.load(structure)
    figures.style()
    fig, axes = figures.panels(grid.sizes["pair"], grid.sizes["concentration"], sharex=True, sharey="row")
    colors = figures.temperature_colors(grid["temperature"].values)
    r = grid["r"].values
    for row, pair in zip(axes, grid["pair"].values, strict=True):
        for ax, x in zip(row, grid["concentration"].values, strict=True):
            ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
            for T, color in colors.items():
                curve = grid.sel(pair=pair, concentration=x, temperature=T)
                g, std = curve["rdf"].values, curve["rdf_std"].values
                ax.fill_between(r, g - std, g + std, color=color, alpha=0.3, linewidth=0)
                ax.plot(r, g, color=color, linewidth=1.1)
        row[0].set(ylabel=f"g(r), {pair.replace('-', '–')}", ylim=(0, None))
    filled = r[(grid["rdf"] > 0.01).any(["temperature", "concentration", "pair"]).values]
    if len(filled):
        axes[0, 0].set_xlim(max(0, filled.min() - 0.5), filled.max())
    for ax in axes[-1]:
        ax.set_xlabel("r (Å)")
    figures.concentration_titles(axes, grid)
    figures.temperature_legend(fig, grid)
    notes = [note for note in figures.gap_notes(grid, "pair") if "first minimum" not in note]
    figures.footnote(fig, figures.uncovered(coverage) + notes)
    columns = {"rdf": "rdf", "rdf_std": "rdf_std"}
    figures.publish(fig, out_figure, reduced.table(grid, ("pair", "r"), columns).dropna(subset="rdf"))


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    plot_rdf(Path(snakemake.input.structure), Path(snakemake.output[0]), snakemake.input.coverage)
