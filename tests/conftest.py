"""What every test can ask for."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share two cores
os.environ.pop("COLUMNS", None)  # whose width is that of the tests, and of no message
os.unsetenv("COLUMNS")  # readline tells it to child processes behind the back of os.environ

import numpy as np
import pytest
import torch
from cyclopts import App, CycloptsError, MissingArgumentError
from PIL import Image
from torch import Tensor

from saccade import api, cli
from saccade.data.doctor import scan
from saccade.data.doctor.facts import Facts
from saccade.data.item import ImageArray, LazyImage
from saccade.errors import RecipeError, SaccadeError
from saccade.recipes.recipe import Recipe
from saccade.runs.run import Run
from saccade.usage import refuse_unknown_options

Function = Callable[[Tensor], Tensor]
COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 70), "red": (210, 50, 40)}


TWO = """
question = "does it matter how fast?"
metric = "test_accuracy"
seeds = 2
[settings]
model.name = "logistic_regression"
data.per_class = 10
data.held_out_per_class = 5
train.epochs = 2
[variants.slow]
optim.lr = 0.0001
[variants.fast]
optim.lr = 0.01
"""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and weights beside a checkout; the test is skipped without it."""
    for parent in Path(__file__).resolve().parents:
        folder = parent.parent / "shared" / "data"
        if (folder / "README.md").is_file():
            return folder
    pytest.skip("needs the real data in ../shared/data")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that pages are looked at with; the test is skipped without it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("needs chromium")
    return found


@pytest.fixture(scope="session", autouse=True)
def pixels_are_examined_once() -> Iterator[None]:
    """The facts of images of pixels, such as the digits that come along, are kept for all tests.

    To examine the digits is half the work of a short training on them.  Files are read each time.
    """
    facts: dict[tuple[tuple[int, ...], bytes], Facts] = {}
    inspect_images = scan.inspect_images

    def inspected(images: Sequence[LazyImage], processes: int | None = None) -> Iterator[Facts]:
        if not all(isinstance(image, ImageArray) for image in images):
            yield from inspect_images(images, processes)
            return
        pixels = [np.asarray(image.read()) for image in images]
        keys = [(array.shape, array.tobytes()) for array in pixels]
        unknown = {key: image for key, image in zip(keys, images) if key not in facts}
        facts.update(zip(unknown, inspect_images([*unknown.values()], processes)))
        yield from (facts[key] for key in keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "inspect_images", inspected)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of four epochs on the embedded digits; not to be changed."""
    from saccade.api import train

    return train(epochs=4, out=tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a study of two variants and two seeds; not to be changed."""
    path = tmp_path_factory.mktemp("studies") / "two.toml"
    path.write_text(TWO)
    return path


@pytest.fixture
def digits_run(trained: Run, tmp_path: Path) -> Run:
    """A copy of the finished run, to be changed at will."""
    return Run(shutil.copytree(trained.path, tmp_path / "digits"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three classes of sixteen small, noisy, plainly coloured images each."""
    chance = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(16):
            noise = chance.normal(0, 30, (40, 48, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number:02d}.png")
    return tmp_path / "photos"


@pytest.fixture
def agree() -> Callable[..., None]:
    """`agree(fast, slow, x, *weights)`: both give the same values and the same gradients."""

    def agree(fast: Function, slow: Function, x: Tensor, *weights: Tensor) -> None:
        x = x.double().requires_grad_()
        values, expected = fast(x), slow(x)
        assert values.shape == expected.shape
        torch.testing.assert_close(values, expected, rtol=1e-9, atol=1e-9)
        error = torch.randn(values.shape, generator=torch.Generator().manual_seed(1)).double()
        gradients = torch.autograd.grad(values, (x, *weights), error)
        for found, wanted in zip(gradients, torch.autograd.grad(expected, (x, *weights), error)):
            torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)

    return agree


SETTING = re.compile(
    r"(?<![\w.])((?:data|model|optim|train)\.(?!txt|bin|csv)[a-z_]+)(?:=('[^']*'|[^\s,;:)]+))?"
)
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
VERB = re.compile(r"(?<!\w)saccade ([a-z][a-z-]+)")
LINE = re.compile(r"(?<=: )saccade .*$")  # a whole command line
hints: dict[str, str] = {}  # given by errors since the last test, each with what was wrong


remembered = SaccadeError.__init__


def remember(self: SaccadeError, what: str, hint: str = "") -> None:
    """As `SaccadeError`, and keep the hint."""
    remembered(self, what, hint)
    hints.setdefault(hint, what)


SaccadeError.__init__ = remember  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def hints_work_when_typed() -> Iterator[None]:
    """What the hint of any error of a test says to type, setting, option or verb, is there."""
    hints.clear()
    yield
    given = dict(hints)
    for hint, what in given.items():
        assert not (wrong := untypable(hint)), f"the hint '{hint}' of '{what}': {wrong}"


@cache
def untypable(hint: str) -> list[str]:
    """What a hint says to type and saccade would refuse."""
    wrong = [f"saccade {verb}" for verb in VERB.findall(hint) if verb not in verbs()]
    wrong += [f"--{option}" for option in OPTION.findall(hint) if option not in options()]
    for name, value in SETTING.findall(hint):
        try:
            Recipe().with_({name: value.strip("'")} if value else {name: Recipe().settings()[name]})
        except (KeyError, RecipeError) as error:
            wrong.append(str(error))
    return wrong + [why for line in LINE.findall(hint) if (why := unparsed(line))]


def unparsed(line: str) -> str:
    """Why a command line is not taken; it is parsed as when it is typed, and not run.

    One that names a verb alone points at it.
    """
    try:
        words = shlex.split(line)[1:]
        refuse_unknown_options(words)
        parser().parse_args(words, print_error=False, exit_on_error=False)
    except MissingArgumentError:
        return ""
    except (SaccadeError, CycloptsError, ValueError) as error:
        return f"{line}: {error}"
    return ""


@cache
def parser() -> App:
    """The command."""
    return cli.application()


@cache
def verbs() -> frozenset[str]:
    """What may stand behind saccade."""
    return frozenset(name.replace("_", "-") for name in api.__all__)


@cache
def options() -> frozenset[str]:
    """The options of all verbs, without the hyphens before them."""
    found = {"help", "version", "quiet"}
    for name in api.__all__:
        for parameter in inspect.signature(cli.command(getattr(api, name))).parameters.values():
            own = cli.OPTION_NAMES.get(parameter.name, parameter.name.rstrip("_"))
            found.add(own.lstrip("-").replace("_", "-"))
    return frozenset(found)
