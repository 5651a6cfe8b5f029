"""Write public weights of EfficientNet-Lite0 into the package, in half precision.

    python build.py FILE [--out FOLDER]

FILE holds the network's tensors under timm's names (tf_efficientnet_lite0).  Statistics are halved
too; counts of batches are left out.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from safetensors.torch import save

from saccade.files import atomic_write
from saccade.models.create import create_model
from saccade.models.weights import load_weights

NETWORK, TAG = "efficientnet_lite0", "imagenet"
PACKAGE = Path(__file__).parent / "src" / "saccade_weights"


def build(file: Path, out: Path) -> str:
    """Write weights and digest into the folder `out`; returns the digest.

    Raises `WeightsError` for a file that does not fit the network, or has values beyond float16.
    """
    network = create_model(NETWORK)
    load_weights(network, file)
    state = {
        name: value.half().contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
    data = save(state, metadata={"network": NETWORK, "tag": TAG, "licence": "Apache-2.0"})
    place = out / f"{NETWORK}-{TAG}.safetensors"
    atomic_write(place, data)
    load_weights(create_model(NETWORK), place)  # all finite in half precision, too
    digest = hashlib.sha256(data).hexdigest()
    atomic_write(place.with_suffix(".sha256"), digest + "\n")
    return digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=PACKAGE)
    asked = parser.parse_args()
    digest = build(asked.file, asked.out)
    size = (asked.out / f"{NETWORK}-{TAG}.safetensors").stat().st_size
    print(f"{size / 1e6:.1f} MB, SHA-256 {digest}")


if __name__ == "__main__":
    main()
