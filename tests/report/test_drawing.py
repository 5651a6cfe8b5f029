"""The drawing of a network: well-formed, complete, nothing cut off, branches connected."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from saccade.explain.anatomy import Anatomy, anatomy
from saccade.models.catalogue import NETWORKS
from saccade.report.drawing import svg
from saccade.report.drawing_layout import LARGE, SMALL, layout, nodes_of

SVG = "{http://www.w3.org/2000/svg}"


def of(name: str) -> Anatomy:
    with torch.device("meta"):
        return anatomy(NETWORKS[name].make(), NETWORKS[name].input, name=name)


DRAWN = ["lenet5", "alexnet_2012", "vgg16", "googlenet_2014", "resnet50", "seresnet50"]


@pytest.mark.parametrize("name", DRAWN)
def test_everything_lies_within_the_drawing(name: str) -> None:
    root = ElementTree.fromstring(svg(of(name)))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])

    def walk(element: ElementTree.Element, x: float, y: float) -> None:
        if "translate" in element.get("transform", ""):
            shift = element.attrib["transform"].removeprefix("translate(").rstrip(")").split()
            x, y = x + float(shift[0]), y + float(shift[1])
        if element.tag in (f"{SVG}rect", f"{SVG}text"):
            left, top = x + float(element.attrib["x"]), y + float(element.attrib["y"])
            wide, tall = float(element.get("width", 0)), float(element.get("height", 0))
            if element.tag == f"{SVG}text":
                wide = 0.6 * float(element.get("font-size", 9)) * len(element.text or "")
                left -= wide / 2 if element.get("text-anchor") == "middle" else 0
            assert left >= 0
            assert top >= 0
            assert left + wide <= width + 0.5
            assert top + tall <= height + 0.5
        for child in element:
            walk(child, x, y)

    walk(root, 0, 0)


@pytest.mark.parametrize("name", [*DRAWN, "alexnet", "vgg11", "lenet5_1998"])
def test_no_two_words_stand_over_one_another(name: str) -> None:
    found: list[tuple[float, float, float, str]] = []  # height, left, right, text

    def walk(element: ElementTree.Element, x: float, y: float) -> None:
        if "translate" in element.get("transform", ""):
            shift = element.attrib["transform"].removeprefix("translate(").rstrip(")").split()
            x, y = x + float(shift[0]), y + float(shift[1])
        if element.tag == f"{SVG}text" and element.text:
            wide = 0.55 * float(element.get("font-size", 9)) * len(element.text)
            start = {"middle": 0.5, "end": 1.0}.get(element.get("text-anchor", ""), 0.0)
            left = x + float(element.attrib["x"]) - start * wide
            found.append((y + float(element.attrib["y"]), left, left + wide, element.text))
        for child in element:
            walk(child, x, y)

    walk(ElementTree.fromstring(svg(of(name))), 0, 0)
    for number, (height, left, right, text) in enumerate(found):
        for other_height, other_left, other_right, other in found[:number]:
            apart = right <= other_left or other_right <= left or abs(height - other_height) >= 8
            assert apart, f"'{text}' stands over '{other}'"


@pytest.mark.parametrize("name", DRAWN)
def test_every_layer_with_weights_is_drawn_with_its_numbers(name: str) -> None:
    table = of(name)
    text = svg(table)
    leaves = [leaf for row in table.rows for leaf in row.leaves() if leaf.counts.multiply_adds]
    missing = [leaf.name for leaf in leaves if f">{leaf.name}: " not in text]
    assert all(".se." in name for name in missing)  # a gate is one mark


def test_it_follows_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in svg(of("lenet5"))


def test_a_larger_map_is_higher_and_more_maps_are_wider() -> None:
    nodes = {node.row.name: node for node in nodes_of(of("alexnet_2012").tree, LARGE)}
    assert nodes["conv1"].height > nodes["conv2"].height > nodes["conv3"].height
    assert nodes["conv3"].width > nodes["conv2"].width > nodes["conv1"].width


def test_the_branches_of_an_inception_module_have_a_lane_each() -> None:
    block = of("googlenet_2014").row("inception3a")
    diagram = layout(nodes_of(block.parts, SMALL))
    join = diagram.nodes[-1]
    assert join.role == "join"
    assert len(join.reads) == 4
    assert len({diagram.nodes[read].lane for read in join.reads}) == 4
    boxes = [node for node in diagram.nodes if node.role != "join"]
    for one in boxes:
        for other in boxes:
            apart = one is other or one.lane != other.lane or one.rank != other.rank
            assert apart


def test_a_shortcut_runs_beside_the_convolutions() -> None:
    diagram = layout(nodes_of(of("resnet50").row("layer1.1").parts, SMALL))
    shortcut = next(edge for edge in diagram.edges if edge.source == -1 and edge.target > 0)
    assert diagram.nodes[shortcut.target].row.kind == "add"
    assert all(shortcut.y < node.y - node.height / 2 for node in diagram.nodes[:3])


def test_a_long_run_of_the_same_block_is_drawn_once() -> None:
    assert "× 20" in svg(of("inception_resnet_v2"))


def test_names_are_escaped() -> None:
    table = anatomy(nn.Sequential(nn.Conv2d(3, 2, 3)), (3, 8, 8), name="<a & b>")
    assert ElementTree.fromstring(svg(table)) is not None
