"""environment: with what, and on what, something was measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import torch


def environment() -> dict[str, str]:
    """Versions and hardware, for logs and reports."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("saccade", "torch", "numpy", "pillow")},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }
