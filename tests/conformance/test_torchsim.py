"""What only the engine torchsim promises: one compiled file with engine ase, and words for what it cannot run."""

import copy

import pytest
from conftest import those_installed
from engine_runs import assert_equal, three, write
from thermoweave import engines


def both() -> list[str]:
    """Backends with one compiled file for all engines."""
    return [name for name in those_installed("compile") if name in those_installed("torchsim")]


@pytest.mark.parametrize("adapter", both(), indirect=True)
def test_one_compiled_file_is_for_all_engines(adapter, name, weights, melt, tmp_path):
    batch = three(melt)
    engines.engine("ase").Session(write(tmp_path, name, weights[0], melt)).evaluate(batch)
    path = write(tmp_path, name, adapter.compile(weights, tmp_path / "compiled"), melt, compiled=True)
    for engine in ("ase", "torchsim"):
        session = engines.engine(engine).Session(path)
        for chosen in (batch, batch[1:2], batch[::-1]):
            found = copy.deepcopy(chosen)
            session.evaluate(found)
            for system, other in zip(found, chosen, strict=True):
                assert_equal(system, other, 1e-8)


def test_torchsim_says_what_it_cannot_run():
    assert "ase" in engines.engine("torchsim").fault("deepmd", "cpu")
    assert engines.engine("torchsim").fault("nequip", "cpu") == ""
