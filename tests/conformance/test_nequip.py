"""What only NequIP's adapter promises."""

import pytest
from thermoweave import potentials

pytest.importorskip("nequip", reason="runs in the nequip environment")


def test_the_learning_curve_stays(melt, tmp_path):
    adapter = potentials.adapter("nequip")
    hypers = {**adapter.HYPERS, "r_max": 4.5, "num_features": 4, "radial_width": 8, "epochs": 2}
    adapter.train(melt[:8], melt[8:], hypers, 1, tmp_path / "run")
    assert (tmp_path / "run" / "metrics.csv").exists()
