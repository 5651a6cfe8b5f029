"""DICOM: numbers as they are measured, by the files that pydicom writes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade.data import dicom
from saccade.data.formats import DecodeOptions, measured, open_image
from saccade.data.header import header
from saccade.errors import DataError

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import FileDataset, FileMetaDataset  # noqa: E402
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage  # noqa: E402


def file(pixels: NDArray[Any], kind: str = "MONOCHROME2", **elements: Any) -> bytes:
    """A DICOM file of [H,W], [H,W,3] or, with NumberOfFrames, [N,H,W]."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    colour = kind in ("RGB", "YBR_FULL")
    data.Rows, data.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    data.SamplesPerPixel = 3 if colour else 1
    data.PhotometricInterpretation = kind
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    if colour:
        data.PlanarConfiguration = 0
    for name, value in elements.items():
        setattr(data, name, value)
    data.HighBit = data.BitsStored - 1
    data.PixelData = pixels.tobytes()
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def read(raw: bytes, window: str = "") -> NDArray[np.uint8]:
    options = DecodeOptions(grey=False, min_side=10**6, longer=False, window=window)
    return open_image(raw, options)[..., :3]


RESCALE: dict[str, Any] = {"RescaleSlope": 2, "RescaleIntercept": -1000}


def test_a_window_is_of_the_rescaled_numbers():
    raw = file(np.array([[0, 500, 600, 1000]], np.uint16), **RESCALE)  # -1000, 0, 200, 1000
    assert read(raw, "0 400").ravel().tolist() == [0, 0, 128, 255]
    assert measured(raw)[1:3].tolist() == [-1000, 1000]


def test_monochrome1_has_white_at_zero():
    raw = file(np.array([[0, 51, 255]], np.uint8), "MONOCHROME1")
    assert read(raw).ravel().tolist() == [255, 204, 0]
    deep = file(np.array([[0, 4095]], np.uint16), "MONOCHROME1", BitsStored=12)
    assert read(deep, "type").ravel().tolist() == [255, 0]


def test_the_range_of_the_type_is_that_of_the_bits_stored():
    raw = file(np.array([[0, 2048, 4095]], np.uint16), BitsStored=12)
    assert read(raw, "type").ravel().tolist() == [0, 128, 255]
    signed = file(np.array([[-2048, 0, 2047]], np.int16), BitsStored=12)
    assert read(signed, "type").ravel().tolist() == [0, 128, 255]


def test_colours_are_rgb():
    pixels = np.array([[[200, 100, 50], [0, 0, 0]]], np.uint8)
    assert read(file(pixels, "RGB")).tolist() == pixels.tolist()
    white = np.array([[[255, 128, 128], [255, 128, 128]]], np.uint8)
    assert read(file(white, "YBR_FULL")).tolist() == [[[255] * 3] * 2]


def test_of_several_frames_the_first_counts():
    frames = np.stack([np.full((2, 2), 7, np.uint8), np.full((2, 2), 9, np.uint8)])
    raw = file(frames, NumberOfFrames=2)
    assert read(raw).max() == 7
    about = header(raw)
    assert about is not None
    assert (about.format, about.frames, about.deep) == ("DICOM", True, False)
    assert (about.width, about.height) == (2, 2)


def test_without_pydicom_the_reason_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    raw = file(np.zeros((2, 2), np.uint8))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'saccade\[dicom\]'"):
        read(raw)


def test_a_cut_off_file_is_refused():
    raw = file(np.zeros((8, 8), np.uint16))
    with pytest.raises(DataError, match="damaged or unusual DICOM file"):
        read(raw[:-50])
    assert dicom.is_dicom(raw)
