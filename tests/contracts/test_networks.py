"""One contract for every network of the catalogue, on the meta device: no weights are made."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS, SEVERAL_LOGITS, Lazy, Network
from saccade.models.layers.blocks import chain

CLASSES = 7
Size = tuple[int, ...]


@dataclass
class Table:
    """One `chain(...)` of a network's source: the rows it made, and what its function knew."""

    rows: nn.Sequential
    file: Path
    line: int
    names: dict[str, Any]


@dataclass
class Built:
    """A network made and run once."""

    network: nn.Module
    logits: Tensor | tuple[Tensor, ...]
    tables: list[Table]
    sizes: dict[nn.Module, Size] = field(default_factory=dict)


def listed(name: str) -> Network:
    return (NETWORKS | SEVERAL_LOGITS | CLASSICAL_MODELS)[name]


def function(name: str) -> Callable[..., nn.Module]:
    """The function behind a line of the catalogue."""
    make = listed(name).make
    while isinstance(make, partial):
        make = make.func
    assert isinstance(make, Lazy)
    return make.load()


def watched(make: Callable[[], nn.Module]) -> tuple[nn.Module, list[Table]]:
    """The network, and every table written on the way to it."""
    tables: list[Table] = []

    def look(frame: FrameType, event: str, result: Any) -> None:
        if event == "return" and frame.f_code is chain.__code__ and frame.f_back:
            caller = frame.f_back
            file = Path(caller.f_code.co_filename)
            tables.append(Table(result, file, caller.f_lineno, dict(caller.f_locals)))

    sys.setprofile(look)
    try:
        return make(), tables
    finally:
        sys.setprofile(None)


@cache
def built(name: str) -> Built:
    with torch.device("meta"):
        network, tables = watched(partial(listed(name).make, num_classes=CLASSES))
        images = torch.empty(2, *listed(name).input)
    result = Built(network.eval(), (), tables)

    def measure(row: nn.Module, _: Any, out: Any) -> None:
        if isinstance(out, Tensor):
            result.sizes[row] = tuple(out.shape[1:])

    for table in tables:
        for row in table.rows:
            row.register_forward_hook(measure)
    result.logits = network(images)
    return result


def reached(logits: Tensor | tuple[Tensor, ...]) -> set[int]:
    """Every tensor at which the walk back from the logits ends, by identity."""
    outputs = logits if isinstance(logits, tuple) else (logits,)
    nodes: list[Any] = [output.grad_fn for output in outputs]
    seen, leaves = set(nodes), set()
    while nodes:
        node = nodes.pop()
        leaves.add(id(getattr(node, "variable", None)))  # an AccumulateGrad node has one
        new = {after for after, _ in node.next_functions if after is not None} - seen
        seen |= new
        nodes += new
    return leaves


@cache
def parsed(file: Path) -> tuple[list[str], list[ast.Call]]:
    """A file's lines and its calls of `chain` and `dict`, the innermost last."""
    source = file.read_text(encoding="utf-8")
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("chain", "dict")
    ]
    return source.splitlines(), sorted(calls, key=lambda call: call.lineno)


def written(table: Table) -> Iterator[tuple[str, str]]:
    """The last row of each line that has a comment, and the comment."""
    lines, calls = parsed(table.file)
    here = [c for c in calls if c.lineno <= table.line <= (c.end_lineno or 0)][-1]
    passed = [c for c in calls if ast.unparse(c.func) == "dict"]
    starred = any(keyword.arg is None for keyword in here.keywords)
    for call in [here, *(passed if starred else [])]:
        last = {k.value.end_lineno: k.arg for k in call.keywords if k.arg}
        for line, row in last.items():
            comment = re.search(r"#\s+(\S.*)$", lines[(line or 0) - 1])
            if comment and row:
                yield row, comment[1]


def size(comment: str, names: dict[str, Any]) -> Size | None:
    """`64*e x 56 x 56` with the function's own `e`; none where the comment is words."""
    sides = comment.split(" x ")
    if len(sides) == 1 and not re.fullmatch(r"[\w*+]+", comment):
        return None
    return tuple(eval(side, {}, names) for side in sides)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_one_table_of_named_rows(name: str):
    network = built(name).network
    assert type(network) is nn.Sequential
    rows = [row for row, _ in network.named_children()]
    assert rows
    assert all(row.isidentifier() for row in rows)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_gives_a_number_for_every_class(name: str):
    logits = built(name).logits
    assert isinstance(logits, Tensor)
    assert logits.shape == (2, CLASSES)


@pytest.mark.parametrize("name", SEVERAL_LOGITS)
def test_one_with_several_classifiers_gives_a_number_for_every_class_from_each(name: str):
    logits = built(name).logits
    assert isinstance(logits, tuple)
    assert {tuple(each.shape) for each in logits} == {(2, CLASSES)}


@pytest.mark.parametrize("name", [*NETWORKS, *SEVERAL_LOGITS])
def test_a_gradient_reaches_every_parameter(name: str):
    result = built(name)
    leaves = reached(result.logits)
    for key, parameter in result.network.named_parameters():
        assert id(parameter) in leaves or not parameter.requires_grad, key


@pytest.mark.parametrize("name", [*NETWORKS, *SEVERAL_LOGITS])
def test_no_weight_has_two_names(name: str):
    network = built(name).network
    every = [value for _, value in network.named_parameters(remove_duplicate=False)]
    assert len({id(value) for value in every}) == len(every)


@pytest.mark.parametrize("name", [*NETWORKS, *SEVERAL_LOGITS])
def test_its_function_takes_at_most_four_arguments_and_says_what_it_is(name: str):
    make = function(name)
    parameters = inspect.signature(make).parameters
    assert "num_classes" in parameters
    assert len(parameters) <= 4
    assert "->" in (make.__doc__ or "")


@pytest.mark.parametrize("name", [*NETWORKS, *SEVERAL_LOGITS])
def test_the_sizes_down_the_margin_are_the_real_ones(name: str):
    result = built(name)
    for table in result.tables:
        for row, comment in written(table):
            module = dict(table.rows.named_children()).get(row)
            expected = size(comment, table.names)
            if module in result.sizes and expected:
                assert result.sizes[module] == expected, row


@pytest.mark.parametrize(
    "name, count", [("resnet50", 6), ("cifar_resnet20", 5), ("densenet121", 13), ("googlenet", 15)]
)
def test_the_margin_is_read_where_there_is_one(name: str, count: int):
    """So that the test above cannot pass by seeing nothing."""
    sizes = [size(c, table.names) for table in built(name).tables for _, c in written(table)]
    assert len([s for s in sizes if s]) >= count


@pytest.mark.parametrize("networks", [NETWORKS, SEVERAL_LOGITS, CLASSICAL_MODELS])
def test_the_catalogue_is_in_order_of_year(networks: dict[str, Network]):
    years = [network.paper.year for network in networks.values()]
    assert years == sorted(years)


@pytest.mark.parametrize("name", [*NETWORKS, *SEVERAL_LOGITS, *CLASSICAL_MODELS])
def test_the_file_of_a_network_names_its_paper(name: str):
    module = inspect.getmodule(function(name))
    assert module is not None
    paper, words = listed(name).paper, " ".join((module.__doc__ or "").split())
    first_author = paper.authors.split()[0]
    assert re.search(rf"\b{first_author}\b[^.;:]*(et al\.)? {paper.year}\b", words), str(paper)


@pytest.mark.parametrize("name", CLASSICAL_MODELS)
def test_a_classical_network_gives_a_number_for_every_class(name: str):
    with torch.device("meta"):
        network = listed(name).make(num_classes=CLASSES)
    *_, classifier = network.children()
    assert type(network) is nn.Sequential
    assert classifier.out_features == CLASSES
