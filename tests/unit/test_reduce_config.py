"""Wrong values of the section reduce: each stops before any job."""

import pytest
from good_config import GOOD, PSEUDOPOTENTIALS, ROOT, changed
from thermoweave.campaign import ConfigError, validate
from thermoweave.reduce_config import reduce_faults


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (("reduce", "onset_floor_ps"), 100, "reduce.onset_floor_ps: 100 leaves no lags"),
        (("reduce", "solvation"), "Li", "reduce.solvation: 'Li' is none of its choices"),
        (("reduce", "solvation", "centre"), "Lu", "reduce.solvation.centre: no such species Lu; there are Cl, K, Li"),
        (("reduce", "solvation", "tolerance_ps"), 9, "reduce.solvation.tolerance_ps: 9 is long for a run of 12 ps"),
        (("reduce", "spectra", "born_charges"), {"Li": 1, "Cl": -1}, "born_charges: no charge for K; name every"),
        (("reduce", "spectra", "born_charges"), {"Li": 1, "K": 1, "Cl": -2}, "LiCl has -1 e in all"),
        (("reduce", "spectra", "born_charges"), {"Li": 1, "K": 1, "Cl": -1, "Na": 1}, "born_charges.Na: no such"),
        (("reduce", "predict"), ["0"], "reduce.predict: 0 K: give one above 0"),
        (("reduce", "predict"), ["298", "298.0"], "reduce.predict: 298 and 298.0 are the same number"),
        (("reduce", "memory_MB"), 1, "reduce.memory_MB: 1 is less than the minimum of 10"),
        (("reduce", "spot_checks"), 251, "251 frames asked for, a production run has 750; at most 250"),
    ],
)
def test_wrong_values_are_named(keys, value, said):
    with pytest.raises(ConfigError) as caught:
        validate(changed(keys, value), ROOT, PSEUDOPOTENTIALS)
    assert said in str(caught.value)


def test_a_good_config_has_no_faults():
    assert reduce_faults(GOOD) == []
    assert reduce_faults(changed(("reduce", "spot_checks"), 250)) == []
