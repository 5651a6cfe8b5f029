"""The sizes down the margin of the classic networks' tables are what the rows give."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import nn

from saccade.models.create import input_shape
from saccade.models.layers.surgery import rows
from saccade.models.networks.alexnet import alexnet, alexnet_2012, zfnet
from saccade.models.networks.lenet import lenet5, lenet5_1998, lenet_caffe
from saccade.models.networks.small import net3
from saccade.models.networks.vgg import A, B, D, E, vgg

Network = Callable[..., nn.Sequential]
Size = tuple[int, ...]

NETWORKS: dict[str, Network] = {
    network.__name__: network
    for network in (net3, lenet5, lenet5_1998, lenet_caffe, alexnet_2012, alexnet, zfnet)
}


def margins(network: Network) -> dict[int, Size]:
    """The size written at the end of each line, by line."""
    lines = textwrap.dedent(inspect.getsource(network)).splitlines()
    return {
        number: tuple(int(length) for length in size[1].split("x"))
        for number, line in enumerate(lines, 1)
        if (size := re.search(r"#\s*(\d[\d x]*)$", line))
    }


def written(network: Network) -> Iterator[tuple[str, int]]:
    """Each row's full name and the line on which it ends, the groups' rows included."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(network)))
    table = next(
        call for call in ast.walk(tree) if isinstance(call, ast.Call) and called(call) == "chain"
    )
    for row in table.keywords:
        assert isinstance(row.value, ast.Call)
        if called(row.value) == "Sequential":
            for position, inner in enumerate(row.value.args):
                yield f"{row.arg}.{position}", inner.end_lineno or 0
        else:
            yield row.arg or "", row.value.end_lineno or 0


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def given(network: Network, shape: Size) -> dict[str, Size]:
    """What each row gives, measured."""
    with torch.device("meta"):
        table, x = network(), torch.empty(1, *shape)
    sizes: dict[str, Size] = {}
    for path, row in rows(table):
        x = row(x)
        sizes[path] = tuple(x.shape[1:])
    return sizes


@pytest.mark.parametrize("name", NETWORKS)
def test_the_size_in_the_margin_is_what_the_last_row_of_the_line_gives(name):
    network = NETWORKS[name]
    last = {line: row for row, line in written(network)}
    shapes = given(network, input_shape(name))
    claims = margins(network)
    assert len(claims) >= 3
    assert {last[line]: size for line, size in claims.items()} == {
        last[line]: shapes[last[line]] for line in claims
    }


@pytest.mark.parametrize("depths", [A, B, D, E])
def test_vggs_margin_is_what_each_stage_and_then_each_row_gives(depths):
    shapes = given(partial(vgg, depths=depths), (3, 224, 224))
    ends = [2 * sum(depths[:stage]) + stage - 1 for stage in range(1, 6)]
    expected = [shapes[f"features.{end}"] for end in ends]
    expected += [shapes[row] for row in ("avgpool", "classifier.2", "classifier.5")]
    assert list(margins(vgg).values()) == expected
