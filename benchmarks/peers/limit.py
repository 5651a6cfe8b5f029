"""What one core can do at the best: the fastest of several products of large matrices."""

from __future__ import annotations

import json
import time

import torch

SIDE = 2048
ROUNDS = 5


def rate(kind: torch.dtype) -> float:
    """Operations a CPU second."""
    a, b = (torch.randn(SIDE, SIDE).to(kind) for _ in range(2))
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        torch.mm(a, b)
        seconds.append(time.process_time() - began)
    return 2 * SIDE**3 / min(seconds[1:])


def main() -> None:
    torch.set_num_threads(1)
    print(json.dumps({"bfloat16": rate(torch.bfloat16), "float32": rate(torch.float32)}))


if __name__ == "__main__":
    main()
