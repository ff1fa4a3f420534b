"""model.pt: {"config": plain values, "state": tensors}, read without running code of the file."""

import pickle
from pathlib import Path


def read(path: Path, device: str = "cpu") -> tuple[dict, dict]:
    """config and state. Raises ValueError if the file is none, or holds anything but tensors and plain values."""
    import torch

    try:
        content = torch.load(path, map_location=device, weights_only=True)
        return content["config"], content["state"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError):
        raise ValueError(
            f"{path} is not a potential of this workflow: it lacks config and state, or it holds more than tensors and "
            "plain values, which could run code as it is loaded"
        ) from None
