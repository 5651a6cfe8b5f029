from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.errors import WeightsError

STATE = {
    "model": {"weight": torch.arange(6.0).view(2, 3), "count": torch.tensor(3)},
    "optimizer": {0: {"step": torch.tensor(5.0)}, 1: {}},
    "epoch": 2,
    "losses": [0.1, 1 / 3],
    "average": None,
}


def assert_is_state(result: dict) -> None:
    assert torch.equal(result["model"]["weight"], STATE["model"]["weight"])
    assert result["model"]["count"].dtype == torch.int64
    assert result["optimizer"]["0"]["step"] == 5
    assert (result["epoch"], result["losses"], result["average"]) == (2, [0.1, 1 / 3], None)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, STATE, step=7)
    result, damaged = load_checkpoint(tmp_path)
    assert_is_state(result)
    assert damaged == []


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, STATE | {"epoch": step}, step)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["latest.json", "step-00000002.safetensors", "step-00000003.safetensors"]
    assert load_checkpoint(tmp_path)[0]["epoch"] == 3


def test_what_a_killed_process_left_half_written_goes_with_the_next_save(tmp_path: Path) -> None:
    (tmp_path / ".step-00000001.safetensors.k2x9").write_bytes(b"half of it")
    (tmp_path / ".latest.json.p3q8").write_text("{")
    save_checkpoint(tmp_path, STATE, 1)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["latest.json", "step-00000001.safetensors"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    damage: str, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, STATE, 1)
    newest = save_checkpoint(tmp_path, STATE | {"epoch": 9}, 2)
    data = bytearray(newest.read_bytes())
    if damage == "gone":
        newest.unlink()
    else:
        data[len(data) // 2] ^= 1
        newest.write_bytes({"flip": data, "cut": data[:-9], "empty": b""}[damage])
    result, damaged = load_checkpoint(tmp_path)
    assert_is_state(result)
    assert len(damaged) == 1
    assert newest.name in damaged[0]


def test_when_all_are_damaged_it_says_so(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, STATE, 1).write_bytes(b"junk")
    with pytest.raises(WeightsError, match="no usable checkpoint"):
        load_checkpoint(tmp_path)
    with pytest.raises(WeightsError, match="no usable checkpoint"):
        load_checkpoint(tmp_path / "nowhere")


SAVER = """
import sys, torch
from pathlib import Path
from saccade.engine.checkpoint import save_checkpoint
torch.set_num_threads(1)
print("ready", flush=True)
for step in range(1, 10_000):
    weight = torch.full((400_000,), float(step))
    save_checkpoint(Path(sys.argv[1]), {"weight": weight, "step": step}, step)
"""


@pytest.mark.slow
def test_a_kill_at_any_instant_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    kills = 6
    for number in range(kills):
        folder = tmp_path / str(number)
        saver = subprocess.Popen([sys.executable, "-c", SAVER, str(folder)], stdout=subprocess.PIPE)
        assert saver.stdout is not None
        saver.stdout.readline()
        while not (folder / "latest.json").exists():
            time.sleep(0.001)
        time.sleep(0.001 * (7 * number % 40))
        saver.kill()
        saver.wait()
        saver.stdout.close()
        result, damaged = load_checkpoint(folder)
        assert damaged == []
        assert torch.equal(result["weight"], torch.full((400_000,), float(result["step"])))


def test_nothing_but_json_and_tensors_is_in_a_checkpoint(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, STATE, 1)
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert set(header) == {"__metadata__", "/model/weight", "/model/count", "/optimizer/0/step"}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_fused_optimizer_goes_on_to_the_same_bits_whatever_the_layout(
    layout: torch.memory_format, tmp_path: Path
) -> None:
    """The moments lie in memory as the weights do; elementwise kernels go by the order there."""

    def initial() -> tuple[torch.nn.Conv2d, torch.optim.AdamW]:
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(3, 4, 3).to(memory_format=layout)
        return layer, torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)

    def step(layer: torch.nn.Conv2d, optimizer: torch.optim.AdamW, number: int) -> None:
        generator = torch.Generator().manual_seed(number)
        optimizer.zero_grad()
        layer(torch.rand(2, 3, 5, 5, generator=generator)).square().sum().backward()
        optimizer.step()

    whole, optimizer = initial()
    for number in range(3):
        step(whole, optimizer, number)
        if number == 1:
            state = {"model": whole.state_dict(), "moments": optimizer.state_dict()["state"]}
            save_checkpoint(tmp_path, state, step=number)
    loaded, _ = load_checkpoint(tmp_path)
    second, optimizer = initial()
    second.load_state_dict(loaded["model"])
    moments = {int(k): v for k, v in loaded["moments"].items()}
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    step(second, optimizer, 2)
    assert torch.equal(second.weight, whole.weight)
