"""Whether a change of the code changes a number: small trainings and every verb, as a fingerprint.

    python benchmarks/exactness.py OUT              # three minutes; OUT/fingerprint.json
    python benchmarks/exactness.py --compare A B    # two such folders; exit code 1: not the same

Everything runs on drawn images, on one thread of the processor, each command in a process of its
own.  Weights and images are compared by their bits, texts by their numbers in their order; words
may differ and are listed.  `PYTHONPATH=OTHER/src` in front measures another checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

OLD = {  # how code that does not know the new word spells it; to be deleted with that code
    "label-issues": "suspects",
    "--tta": "--views",
    "tune-threshold": "evaluate",
    "--cleaned": "--apply",
    "--expand": "--all",
    "lr-find": "find-rate",
    "train.ema": "train.average",
    "train.layer_statistics": "train.statistics",
    "train.checkpoint": "train.keep",
    "train.micro_batch_size": "train.micro_batch",
    "optim.clip_grad": "optim.clip",
    "data.augmented_copies": "data.views",
}
ONE = "--with train.threads=1 --with train.device=cpu "
FEW = ONE + "--with data.val=0.2 --with data.test=0.25 "  # more of them held out
LENET = ONE + "--with train.precision=float32 --model lenet5 "
SMALL = FEW + "--with train.precision=float32 --with train.batch_size=16 --epochs 2 "
RUNS = {  # a name, and how its run is trained
    "digits": LENET + "--epochs 2 --with train.ema=0.9 --with train.layer_statistics=1 "
    "--with 'data.augment=translate:2 rotate:10 mixup:0.2'",
    "longer": LENET + "--epochs 1 --with train.ema=0.9",  # and resumed
    "other": LENET + "--epochs 2 --with optim.name=nesterov --with optim.lr=0.05 "
    "--with optim.clip_grad=1 --with optim.lookahead=3 --with train.checkpoint=best "
    "--with train.micro_batch_size=32 --with data.sampling=balanced --with data.augment=cutmix",
    "numbers": "images/numbers.csv --model cifar_resnet20 --with data.augment=flip " + SMALL,
    "labels": "images/labels.csv --model cifar_resnet20 --with train.class_weights=auto " + SMALL,
    "fitted": "images/photos --weights numbers --recipe features --with data.augmented_copies=1 "
    "--with data.augment=flip " + FEW,
    "tuned": "images/photos --weights numbers --recipe finetune --stages 'head:1 all' " + SMALL,
    "classical": "images/photos --recipe classical --model hog " + FEW,
}
VERBS = {  # a name, and what is asked
    "resumed": "resume longer --epochs 2",
    "evaluated_digits": "evaluate digits --by '^digits/(..)' --corrupt noise --tta shifts "
    "--out evaluated/digits",
    "evaluated_sure": "tune-threshold digits --precision 0.95",
    "evaluated_tuned": "evaluate tuned --by folder --corrupt noise --tta 'crops flip' "
    "--out evaluated/tuned",
    "evaluated_fitted": "tune-threshold fitted images/photos --coverage 0.8",
    "evaluated_numbers": "evaluate numbers --by group --corrupt noise --tta flip "
    "--out evaluated/numbers",
    "evaluated_labels": "evaluate labels --by folder --corrupt fog --tta flip "
    "--out evaluated/labels",
    "predicted_tuned": "predict tuned images/photos --max-novelty 0.9",
    "predicted_numbers": "predict numbers images/photos",
    "predicted_labels": "predict labels images/photos",
    "compared_digits": "compare digits other longer --html compared_digits.html",
    "compared_tuned": "compare tuned fitted --html compared_tuned.html",
    "issues": "label-issues images/photos --html issues.html --cleaned issues/clean.csv",
    "doctor": "doctor images/photos --html doctor.html --cleaned doctor/clean.csv",
    "shown_lenet5": "show lenet5 --expand --svg lenet5.svg",
    "shown_tuned": "show tuned",
    "features": "features tuned images/photos --out features",
    "found": "lr-find --model lenet5 --out found.svg " + ONE,
    "augmented": "augment images/photos --with 'data.augment=flip rotate:10' --out augmented.png",
    "reports": "report digits other --out reports.html",
}
CLOCKED = r"seconds|per_second|^environment$|^fingerprint$|sha256"  # keys: clock, machine, files
CLOCK = r"(?:\b\d[\d.,]* (?:ms|s|min|h)\b ?)+|\b\d{4}-\d\d-\d\d(?:[ T][\d:.]+)?"
NUMBER = r"(?<![\w.])(?<![A-Za-z]-)[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)"

Seen = dict[str, Any]  # of a file: digests by name, and its text; either may be missing


def draw(folder: Path) -> None:
    """64 images of 96 x 80 in four classes, copies and a wrong label among them, and two tables."""
    kinds, numbers, labels = ("disc", "square", "stripes", "cross"), [], []
    y, x = np.mgrid[:80, :96]
    for n in range(64):
        rng = np.random.default_rng(60 if n in (48, 56) else n)  # 48 is 60 to the byte, 56 nearly
        kind, (row, column), size = n % 4, rng.uniform(30, 55, 2), rng.uniform(8, 26)
        dy, dx = abs(y - row), abs(x - column)
        far = (np.hypot(dy, dx), np.maximum(dy, dx), x % size * 2, np.minimum(dy, dx) * 3)
        ground, colour = rng.uniform(0, 255, (2, 3))
        pixels = np.where((far[(n + (n == 63)) % 4] < size)[..., None], colour, ground)
        pixels = (pixels + rng.normal(0, 12, pixels.shape)).clip(0, 255).astype(np.uint8)
        name = f"photos/{kinds[kind]}/{n:02}.{'jpg' if n % 3 else 'png'}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name)
        numbers.append(f"{name},{size:.3f},place {n % 16}")
        more = {"large": size > 16, "dark": ground.mean() < 110}
        labels.append("|".join([f"{name},{kinds[kind]}", *(k for k, true in more.items() if true)]))
    (folder / "numbers.csv").write_text("\n".join(["path,value,group", *numbers]) + "\n")
    (folder / "labels.csv").write_text("\n".join(["path,labels", *labels]) + "\n")


def run_all(out: Path) -> None:
    """Draw, train and ask below `out`; what is printed goes into `out`/answers."""
    draw(out / "images")
    (out / "answers").mkdir()
    ask = asking(out)
    old = spelling(ask)
    trainings = {name: f"train {words} --out {name}" for name, words in RUNS.items()}
    for name, words in (trainings | VERBS).items():
        began = time.perf_counter()
        for word in old:
            words = re.sub(rf"(?<![\w-]){word}(?![\w-])", OLD[word], words)
        (out / "answers" / f"{name}.json").write_text(ask(f"{words} --json"))
        print(f"{name:<18} {time.perf_counter() - began:5.1f} s", file=sys.stderr, flush=True)


def asking(out: Path) -> Callable[[str], str]:
    """What runs a command line of saccade in `out` and gives what it prints."""
    environment = os.environ | {
        **dict.fromkeys(("OMP_NUM_THREADS", "SACCADE_OFFLINE", "NO_COLOR", "PYTHONSAFEPATH"), "1"),
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "120",
        "SACCADE_CACHE": str(out / "cache"),
        "TORCH_HOME": str(out / "cache"),
    }

    def python(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(words)}\n{done.stdout}{done.stderr}")
        return done.stdout

    print(python("-c", "import saccade; print(saccade.__file__)"), end="", file=sys.stderr)
    return lambda words: python("-m", "saccade.cli", *shlex.split(words))


def spelling(ask: Callable[[str], str]) -> list[str]:
    """The new words of `OLD` that the code does not know yet."""
    verbs = ("", "train", "evaluate", "doctor", "show")
    told = "".join(ask(f"{verb} --help") for verb in verbs) + ask("recipe small")
    return [w for w in OLD if not re.search(rf"(?<![\w-]){w.split('.')[-1]}(?![\w-])", told)]


def fingerprint(out: Path) -> dict[str, Seen]:
    """What is compared of each file below `out`."""
    kinds = {".safetensors": tensors, ".json": data, ".jsonl": data, ".html": page, ".svg": page}
    kinds |= {".png": bits, ".npy": bits}
    found: dict[str, Seen] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_file() and name.split("/")[0] not in {"images", "cache", "fingerprint.json"}:
            seen = found[name] = kinds.get(path.suffix, plain)(path.read_bytes())
            if "text" in seen:
                seen["text"] = re.sub(CLOCK, "TIME ", seen["text"].replace(str(out), "OUT"))
    return found


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def bits(raw: bytes) -> Seen:
    return {"digests": {"all": digest(raw)}}


def plain(raw: bytes) -> Seen:
    return {"text": raw.decode()}


def tensors(raw: bytes) -> Seen:
    """A digest a tensor, so that names may change, and the data that stand beside them."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    beside = {key: json.loads(text) for key, text in header.pop("__metadata__", {}).items()}
    digests = {}
    for name, one in header.items():
        first, last = (start + offset for offset in one["data_offsets"])
        digests[name] = digest(f"{one['dtype']} {one['shape']} ".encode() + raw[first:last])
    return {"digests": digests, "text": "\n".join(flat(beside))}


def data(raw: bytes) -> Seen:
    """JSON, or a line of it an event."""
    text = raw.decode()
    whole = [text] if text.startswith("{\n") else text.splitlines()
    return {"text": "\n".join(line for part in whole for line in flat(json.loads(part)))}


def flat(value: Any, place: str = "") -> Iterator[str]:
    """`numbers[].value 0.9`, a line a value, without what the clock says."""
    if isinstance(value, dict):
        plan = any("step_seconds" in key for key in value)  # even how much it tries is the clock's
        for key, one in value.items():
            if not plan and not re.search(CLOCKED, key):
                yield from flat(one, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for one in value:
            yield from flat(one, f"{place}[]")
    else:
        yield f"{place} {value}"


def page(raw: bytes) -> Seen:
    """The words of a page; digests of its images and of the numbers that draw its figures."""
    text = re.sub(r"<(style|script)\b.*?</\1>", "", raw.decode(), flags=re.DOTALL)
    drawings = "".join(re.findall(r"<svg\b.*?</svg>", text, flags=re.DOTALL))
    drawn = " ".join(re.findall(NUMBER, " ".join(re.findall("<[^>]*>", drawings))))
    images = " ".join(re.findall(r"data:image/[^\"')]*", text))
    words = html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", text)))
    both = {"drawings": digest(drawn.encode()), "images": digest(images.encode())}
    return {"digests": both, "text": words}


def compare(a: dict[str, Seen], b: dict[str, Seen]) -> int:
    """Print a line a file; gives the number of files in which more than words differs."""
    changed, lost, new = 0, Counter[str](), Counter[str]()
    for one, other in paired(a, b):
        if not (one and other):
            changed += 1
            print(f"CHANGED  {one or other}: only in {'A' if one else 'B'}")
            continue
        before, after = a[one], b[other]
        exact, told = same(before, after), [of_digests(before, after), of_numbers(before, after)]
        less, more = differing(words(before), words(after))
        changed, lost, new = changed + (not exact), lost + less, new + more
        told += [f"words {listed(less, more)}"] * bool(less or more)
        name = one if one == other else f"{one} -> {other}"
        print(f"{'same' if exact else 'CHANGED':<8} {name}: {'; '.join(filter(None, told))}")
    print(f"\nall words: {listed(lost, new, 60) or 'the same'}")
    print(f"{changed} files differ in weights or numbers, or are in one only")
    return changed


def paired(a: dict[str, Seen], b: dict[str, Seen]) -> Iterator[tuple[str, str]]:
    """The names of each file in both: its own, that of its twin, or nothing."""
    come = [name for name in b if name not in a]
    for name, seen in a.items():
        twins = (n for n in come if Path(n).suffix == Path(name).suffix and same(seen, b[n]))
        other = name if name in b else next(twins, "")
        yield name, other
        come = [n for n in come if n != other]
    yield from (("", name) for name in come)


def same(before: Seen, after: Seen) -> bool:
    return "DIFFERENT" not in of_digests(before, after) + of_numbers(before, after)


def numbers(seen: Seen) -> list[str]:
    return re.findall(NUMBER, seen.get("text", ""))


def words(seen: Seen) -> list[str]:
    return re.sub(NUMBER, " ", seen.get("text", "")).split()


def of_digests(before: Seen, after: Seen) -> str:
    x, y = before.get("digests", {}), after.get("digests", {})
    if sorted(x.values()) == sorted(y.values()):
        return (f"{len(x)} identical" + " under other names" * (x != y)) * bool(x)
    return "DIFFERENT " + " ".join(sorted(n for n in x | y if x.get(n) != y.get(n)))


def of_numbers(before: Seen, after: Seen) -> str:
    x, y = numbers(before), numbers(after)
    if x == y:
        return f"{len(x)} numbers equal" * bool(x)
    return f"DIFFERENT numbers {listed(*differing(x, y)) or 'in their order'}"


def differing(x: list[str], y: list[str]) -> tuple[Counter[str], Counter[str]]:
    return Counter(x) - Counter(y), Counter(y) - Counter(x)


def listed(less: Counter[str], more: Counter[str], most: int = 8) -> str:
    """`-old x3 +new x3`, the most frequent ones."""
    told = []
    for sign, found in (("-", less), ("+", more)):
        told += [f"{sign}{word} x{count}" for word, count in found.most_common(most)]
        told += [f"{sign}... ({len(found) - most} more)"] * (len(found) > most)
    return " ".join(told)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("out", type=Path, nargs="?", metavar="OUT", help="a folder to make")
    arguments.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"))
    given = arguments.parse_args()
    if given.compare:
        a, b = (json.loads((path / "fingerprint.json").read_text()) for path in given.compare)
        sys.exit(bool(compare(a, b)))
    if given.out is None:
        arguments.error("name a folder, or two with --compare")
    out = given.out.resolve()
    out.mkdir(parents=True)
    run_all(out)
    (out / "fingerprint.json").write_text(json.dumps(fingerprint(out), indent=1))


if __name__ == "__main__":
    main()
