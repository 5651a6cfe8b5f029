"""Checkpoints: the state of a training on disk, written atomically.

A checkpoint is a new file, written beside, flushed and renamed; `latest.json` then names it with
its digest, in the same way; only then are older ones removed, but for the one before.  Files hold
tensors and plain numbers alone: loading runs no code.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from saccade.errors import WeightsError
from saccade.files import atomic_write

KEEP_LAST = 2  # checkpoints in a folder
LEFTOVERS = (".step-*", ".latest.json.*")  # half written by processes that were killed


def save_checkpoint(folder: Path, state: dict[str, Any], step: int) -> Path:
    """Write `state`, nested dicts of tensors and plain numbers, as the checkpoint of `step`."""
    data = serialize(state)
    path = folder / f"step-{step:08d}.safetensors"
    older = _entries(folder)
    atomic_write(path, data)
    entry = {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "step": step}
    newest = [entry, *(e for e in older if e["file"] != path.name)][:KEEP_LAST]
    atomic_write(folder / "latest.json", json.dumps({"checkpoints": newest}, indent=1))
    names = {e["file"] for e in newest}
    for pattern in ("step-*.safetensors", *LEFTOVERS):
        for file in folder.glob(pattern):
            if file.name not in names:
                file.unlink()
    return path


def load_checkpoint(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The newest whole checkpoint, and a note on every newer one that is damaged.

    Raises `WeightsError` where none can be used.
    """
    damaged = []
    for entry in _entries(folder):
        path = folder / entry["file"]
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                damaged.append(f"{path.name} is damaged: its digest differs")
                continue
            return deserialize(data), damaged
        except OSError as error:
            damaged.append(f"{path.name} cannot be read: {error.strerror}")
        except (SafetensorError, KeyError, ValueError) as error:
            damaged.append(f"{path.name} is damaged: {error}")
    what = "; ".join([f"no usable checkpoint in {folder}", *damaged])
    raise WeightsError(what, "start the training again with another --out")


def not_finite(state: Any, path: str = "") -> str | None:
    """The path in `state` to the first tensor with an infinity or a NaN: model/fc.weight."""
    if isinstance(state, dict):
        paths = (not_finite(value, f"{path}/{name}") for name, value in state.items())
        return next(filter(None, paths), None)
    non_finite = (
        isinstance(state, Tensor) and state.is_floating_point() and not state.isfinite().all()
    )
    return path.removeprefix("/") if non_finite else None


def serialize(state: dict[str, Any]) -> bytes:
    """A state, nested dicts of tensors and plain numbers, as the bytes of a safetensors file."""
    tensors: dict[str, Tensor] = {}
    tree = _without_tensors(state, "", tensors)
    return save(tensors, metadata={"tree": json.dumps(tree)})


def deserialize(data: bytes) -> dict[str, Any]:
    """The state that `serialize` has written."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return _with_tensors(json.loads(header["__metadata__"]["tree"]), load(data))


def _entries(folder: Path) -> list[dict[str, Any]]:
    """The entries of `latest.json`, newest first; none without the file."""
    try:
        return json.loads((folder / "latest.json").read_text("utf-8"))["checkpoints"]
    except (OSError, ValueError, KeyError):
        return []


def _without_tensors(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """`value` as JSON, its tensors moved to `tensors` under their path."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().cpu().contiguous().clone()
        channels_last = value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
        return {"tensor": path, "channels_last": channels_last}
    if isinstance(value, dict):
        return {
            "dict": {str(k): _without_tensors(v, f"{path}/{k}", tensors) for k, v in value.items()}
        }
    return {"value": value}


def _with_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if "tensor" in tree:
        tensor = tensors[tree["tensor"]]  # as it lay: a fused optimizer takes no other order
        last = tree.get("channels_last")
        return tensor.contiguous(memory_format=torch.channels_last) if last else tensor
    if "dict" in tree:
        return {k: _with_tensors(v, tensors) for k, v in tree["dict"].items()}
    return tree["value"]


def fingerprint(device: torch.device, processes: int = 1) -> dict[str, Any]:
    """Hardware and versions, which must be the same for bit-identical trainings."""
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "processes": processes,
    }
