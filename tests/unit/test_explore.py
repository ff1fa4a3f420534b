from ase import Atoms
from explore_select import select


def frame(temperature, time_ps, wall_contacts, distance=2.5):
    atoms = Atoms("LiCl", [[0, 0, 0], [distance, 0, 0]], cell=[8] * 3, pbc=True)
    atoms.info.update(temperature=temperature, time_ps=time_ps, wall_contacts=wall_contacts)
    return atoms


def times(frames):
    return [(f.info["temperature"], f.info["time_ps"]) for f in frames]


def test_wall_first_then_late_frames_temperatures_in_turn():
    candidates = [frame("T900", t, 1 if t == 0.3 else 0) for t in (0.1, 0.2, 0.3, 0.9)] + [
        frame("T1000", t, 0) for t in (0.1, 0.8)
    ]
    assert times(select(candidates, 3, 0.3, 0.7)) == [("T900", 0.3), ("T1000", 0.8), ("T900", 0.9)]


def test_of_equals_the_most_doubtful_comes_first():
    candidates = [frame("T900", t, 0) for t in (0.1, 0.5, 0.9)]
    for candidate, doubt in zip(candidates, (0.1, 0.3, 0.2), strict=True):
        candidate.info["force_deviation"] = doubt
    assert [t for _, t in times(select(candidates, 3, 0.3, 0.7))] == [0.5, 0.9, 0.1]


def test_neighbours_in_time_are_passed_over():
    candidates = [frame("T900", t / 10, 1) for t in range(1, 11)]
    chosen = times(select(candidates, 10, 0.3, 0.7))
    assert [t for _, t in chosen] == [1.0, 0.7, 0.4, 0.1]


def test_unphysical_frames_are_never_chosen():
    assert not select([frame("T900", 0.1, 5, distance=0.3)], 1, 0.3, 0.7)
