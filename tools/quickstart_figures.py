#!/usr/bin/env python3
"""Print the tables of docs/quickstart.md from a finished quickstart campaign: quickstart_figures.py RESULTS

Time by stage from Snakemake's benchmark files (wall time summed over jobs; several run at once), D at each condition,
and the D that the reference values are compared with.
"""

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def read(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    results = Path(sys.argv[1])
    print("| rule | jobs | seconds, summed over jobs |\n|---|---|---|")
    for row in read(results / "audit/cost.csv"):
        print(f"| {row['rule'] or 'all'} | {row['jobs']} | {float(row['wall_h']) * 3600:.0f} |")
    table = read(results / "reduce/nequip/transport.csv")
    print("\n| x | T (K) | D Li | D K | D Cl |\n|---|---|---|---|---|")
    conditions = list(dict.fromkeys((row["concentration"], row["temperature"]) for row in table))
    for x, t in conditions:
        found = {r["species"]: r for r in table if (r["concentration"], r["temperature"]) == (x, t)}
        cells = [number(found[s]["D_m2_s"], found[s]["D_std_m2_s"]) for s in ("Li", "K", "Cl")]
        print(f"| {x} | {t} | {' | '.join(cells)} |")
    print("\n| published | D | quickstart, nearest condition | ratio |\n|---|---|---|---|")
    for known in read(ROOT / "resources/reference/diffusion_alkali_chlorides.csv"):
        rows = [r for r in table if r["species"] == known["species"] and r["D_m2_s"]]
        end = max if known["salt"] == "KCl" else min
        x = end((r["concentration"] for r in rows), key=float)
        nearest = min(
            (r for r in rows if r["concentration"] == x),
            key=lambda r: abs(float(r["temperature"]) - float(known["temperature_K"])),
        )
        value, here = float(known["D_m2_s"]), float(nearest["D_m2_s"])
        where = f"x = {x}, {nearest['temperature']} K: {number(nearest['D_m2_s'], nearest['D_std_m2_s'])}"
        what = f"{known['species']} in {known['salt']}, {known['temperature_K']} K"
        print(f"| {what} | {value * 1e9:.1f} | {where} | {here / value:.2f} |")


def number(value: str, std: str) -> str:
    """In 1e-9 m2/s."""
    return f"{float(value) * 1e9:.1f} ± {float(std) * 1e9:.1f}" if value else "–"


if __name__ == "__main__":
    main()
