"""DICOM: the first frame of an image, in the numbers that it measures.  PS3.3, C.7.6.3 and C.11.1.

Read by pydicom, of the extra `dicom`.  A file's own display windows, of which it may have several,
are left out: the window of the data set is the same for all.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from saccade.data.samples import Samples
from saccade.errors import DataError

PREAMBLE = 128  # bytes before the signature


def is_dicom(raw: bytes) -> bool:
    """Whether these are the bytes of a DICOM file."""
    return raw[PREAMBLE : PREAMBLE + 4] == b"DICM"


def header(raw: bytes) -> Any:
    """pydicom's data set without its pixels; raises `DataError` where pydicom is missing."""
    return _dataset(raw, stop_before_pixels=True)


def read_samples(raw: bytes) -> Samples:
    """The samples of the first frame: rescaled, palettes looked up, colours as RGB."""
    dataset = _dataset(raw)
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    kind = str(dataset.get("PhotometricInterpretation", ""))
    values = pixel_array(dataset, index=0)
    bits = dataset.BitsStored
    if kind == "PALETTE COLOR":
        values, bits = apply_color_lut(values, dataset), 0
        low, high = 0, np.iinfo(values.dtype).max
    elif dataset.get("PixelRepresentation", 0):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    else:
        low, high = 0, 2**bits - 1
    agreed = low == 0 and (bits <= 8 or kind == "PALETTE COLOR")
    if "RescaleSlope" in dataset or "ModalityLUTSequence" in dataset:
        rescaled = apply_modality_lut(np.array([low, high]), dataset).astype(float)
        changed = rescaled.tolist() != [low, high]
        if changed:
            values, agreed = apply_modality_lut(values, dataset), False
            low, high = sorted(rescaled.tolist())
    if values.ndim == 2:
        values = values[..., None]
    return Samples(values, low, high, agreed, inverted=kind == "MONOCHROME1")


def _dataset(raw: bytes, **options: Any) -> Any:
    try:
        from pydicom import dcmread
    except ImportError as error:
        what = "a DICOM file, which pydicom reads: pip install 'saccade[dicom]'"
        raise DataError(what) from error
    return dcmread(io.BytesIO(raw), **options)
