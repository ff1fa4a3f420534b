"""Which engine runs which potential, asked before anything is imported or started."""

import sys

import pytest
from thermoweave import engines


@pytest.mark.parametrize(
    ("backend", "device", "told"),
    [
        ("deepmd", "cpu", ""),
        ("deepmd", "cuda", "engine lammps runs on cpu, not on cuda"),
        ("nequip", "cpu", "nequip would need a LAMMPS with Python and ML-IAP inside"),
        ("mace", "cuda", "take engine ase or torchsim"),
    ],
)
def test_lammps_says_what_it_cannot_run(backend, device, told):
    fault = engines.engine("lammps").fault(backend, device)
    assert told in fault and bool(told) == bool(fault)
    assert "lammps" not in sys.modules and "tensorflow" not in sys.modules


def test_an_engine_that_cannot_is_refused_by_name_and_passed_over_by_auto():
    assert engines.choose("lammps", "deepmd", "cpu") == ("lammps", "as the config says")
    with pytest.raises(ValueError, match="engine lammps runs deepmd potentials alone"):
        engines.choose("lammps", "nequip", "cpu")
    assert engines.choose("auto", "deepmd", "cpu")[0] == "lammps"
    assert engines.choose("auto", "nequip", "cpu")[0] != "lammps"
