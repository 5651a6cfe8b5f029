"""Names that other programs have for settings, and for options: each with what it is here.

From the command lines and keywords of timm, torchvision's references, fastai, Ultralytics, Keras,
scikit-learn, Lightning and Hugging Face's Trainer, without regard to hyphens and underscores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

# fmt: off
NAMES: Mapping[str, str] = {  # theirs: the setting here, which takes their value
    "lr0": "optim.lr", "learning_rate": "optim.lr", "lr_max": "optim.lr", "max_lr": "optim.lr",
    "base_lr": "optim.lr", "blr": "optim.lr", "init_lr": "optim.lr",
    "learning_rate_init": "optim.lr",
    "opt": "optim.name", "optimizer": "optim.name", "opt_func": "optim.name", "optim": "optim.name",
    "solver": "optim.name", "optimiser": "optim.name",
    "wd": "optim.weight_decay", "decay": "optim.weight_decay", "l2": "optim.weight_decay",
    "mom": "optim.momentum",
    "sched": "optim.schedule", "scheduler": "optim.schedule", "lr_scheduler": "optim.schedule",
    "lr_schedule": "optim.schedule", "lr_scheduler_type": "optim.schedule",
    "warmup_steps": "optim.warmup", "warmup_ratio": "optim.warmup", "pct_start": "optim.warmup",
    "clip_norm": "optim.clip_grad", "gradient_clip_val": "optim.clip_grad",
    "clipnorm": "optim.clip_grad", "max_grad_norm": "optim.clip_grad",
    "grad_clip": "optim.clip_grad", "gradient_clip": "optim.clip_grad",
    "b": "train.batch_size", "bs": "train.batch_size", "batch": "train.batch_size",
    "train_batch_size": "train.batch_size", "per_device_train_batch_size": "train.batch_size",
    "e": "train.epochs", "epoch": "train.epochs", "max_epochs": "train.epochs",
    "n_epoch": "train.epochs", "n_epochs": "train.epochs", "num_epochs": "train.epochs",
    "nb_epoch": "train.epochs", "num_train_epochs": "train.epochs", "max_iter": "train.epochs",
    "early_stopping_patience": "train.patience",
    "n_iter_no_change": "train.patience", "patience_epochs": "train.patience",
    "smoothing": "train.label_smoothing", "label_smoothing_factor": "train.label_smoothing",
    "class_weight": "train.class_weights", "cls_weights": "train.class_weights",
    "model_ema_decay": "train.ema", "ema_decay": "train.ema",
    "random_seed": "train.seed", "random_state": "train.seed", "manual_seed": "train.seed",
    "accelerator": "train.device", "gpu": "train.device",
    "dtype": "train.precision", "amp_dtype": "train.precision",
    "workers": "train.threads", "num_workers": "train.threads", "j": "train.threads",
    "n_jobs": "train.threads", "dataloader_num_workers": "train.threads",
    "num_threads": "train.threads",
    "microbatch": "train.micro_batch_size", "micro_batch": "train.micro_batch_size",
    "arch": "model.name", "a": "model.name", "net": "model.name", "network": "model.name",
    "backbone": "model.name", "architecture": "model.name", "model_name": "model.name",
    "initial_checkpoint": "model.weights", "checkpoint_path": "model.weights",
    "pretrained_path": "model.weights", "finetune": "model.weights",
    "freeze_at": "model.freeze", "freeze_to": "model.freeze",
    "drop_path_rate": "model.drop_path", "stochastic_depth": "model.drop_path",
    "stochastic_depth_prob": "model.drop_path", "sd": "model.drop_path",
    "layerwise_decay": "optim.layer_decay", "layer_lr_decay": "optim.layer_decay",
    "act": "model.activation", "act_layer": "model.activation",
    "imgsz": "data.size", "img_size": "data.size", "image_size": "data.size", "img": "data.size",
    "input_size": "data.size", "imagesize": "data.size", "resolution": "data.size",
    "target_size": "data.size", "train_crop_size": "data.size",
    "val_split": "data.val", "validation_split": "data.val", "valid_pct": "data.val",
    "val_size": "data.val", "val_ratio": "data.val", "validation_fraction": "data.val",
    "test_size": "data.test", "test_split": "data.test", "test_ratio": "data.test",
    "k_folds": "data.folds", "kfold": "data.folds", "n_splits": "data.folds", "cv": "data.folds",
    "augs": "data.augment", "augmentation": "data.augment", "augmentations": "data.augment",
    "transforms": "data.augment", "aug": "data.augment", "batch_tfms": "data.augment",
    "groups": "data.group", "group_column": "data.group",
}
SWITCHES: Mapping[str, str] = {  # theirs, alone or with a yes: a setting with its value here
    "pretrained": "model.weights=auto", "from_pretrained": "model.weights=auto",
    "use_pretrained": "model.weights=auto", "cos_lr": "optim.schedule=cosine",
    "nesterov": "optim.name=nesterov", "amp": "train.precision=auto",
    "native_amp": "train.precision=auto", "half": "train.precision=float16",
    "fp16": "train.precision=float16", "bf16": "train.precision=bfloat16",
    "save_best": "train.checkpoint=best", "save_best_only": "train.checkpoint=best",
    "load_best_model_at_end": "train.checkpoint=best",
    "restore_best_weights": "train.checkpoint=best", "torchcompile": "train.compile=on",
    "no_cuda": "train.device=cpu", "cpu": "train.device=cpu", "use_cpu": "train.device=cpu",
    "auto_lr_find": "optim.lr=auto", "auto_scale_batch_size": "train.batch_size=auto",
    "auto_batch_size": "train.batch_size=auto", "cache_images": "data.cache=memory",
    "model_ema": "train.ema=auto", "cuda": "train.device=cuda",
    "weighted_sampler": "data.sampling=balanced",
    "grayscale": "data.colour=grey", "greyscale": "data.colour=grey",
    "hflip": "data.augment=flip:0.5", "fliplr": "data.augment=flip:0.5",
    "random_flip": "data.augment=flip:0.5",
    "vflip": "data.augment=vertical_flip:0.5", "flipud": "data.augment=vertical_flip:0.5",
    "mixup": "data.augment=mixup:0.2", "mixup_alpha": "data.augment=mixup:0.2",
    "cutmix": "data.augment=cutmix:1", "cutmix_alpha": "data.augment=cutmix:1",
    "no_aug": "data.augment=", "freeze_backbone": "model.freeze=features",
    "freeze_encoder": "model.freeze=features", "linear_probe": "model.freeze=features",
}
VALUES: Mapping[str, Mapping[str, str]] = {  # of a setting, theirs: ours
    "optim.name": {"momentum": "sgd", "fusedadam": "adam", "fusedsgd": "sgd"},
    "optim.schedule": {"step": "multistep", "steplr": "multistep", "multisteplr": "multistep",
                       "cosineannealinglr": "cosine", "onecycle": "one_cycle",
                       "onecyclelr": "one_cycle", "poly": "polynomial", "none": "constant",
                       "false": "linear", "reducelronplateau": "plateau", "cyclic": "triangular"},
    "train.device": {"gpu": "cuda", "true": "cuda", "0": "cuda:0", "1": "cuda:1", "-1": "cpu"},
    "train.precision": {"false": "float32", "16": "float16", "fp16": "float16",
                        "16-mixed": "float16",
                        "half": "float16", "bf16": "bfloat16", "bf16-mixed": "bfloat16",
                        "32": "float32", "fp32": "float32", "full": "float32"},
    "train.class_weights": {"": "auto", "balanced": "auto", "true": "auto", "false": "none"},
    "train.checkpoint": {"false": "last"},
    "train.compile": {"": "on", "true": "on", "false": "off", "inductor": "on", "default": "on",
                      "reduce-overhead": "graphs", "cudagraphs": "graphs", "max-autotune": "on",
                      "eager": "on", "aot_eager": "on", "onnxrt": "on", "tensorrt": "on"},
    "train.ema": {"": "auto", "true": "auto", "false": "0"},
    "data.cache": {"": "memory", "ram": "memory", "true": "memory", "false": "off"},
    "data.doctor": {"": "on", "true": "on", "false": "off"},
    "data.sampling": {"false": "shuffled"},
    "model.weights": {"true": "auto", "false": "none", "default": "auto"},
    "model.freeze": {"false": "none"},
}  # where ours has a yes and a no: "" for the name alone, true and false for any of YES and NO
OPTIONS: Mapping[str, str] = {  # theirs: an option here, of the verbs that have it
    "output": "--out", "output_dir": "--out", "out_dir": "--out", "save_dir": "--out",
    "project": "--out", "logdir": "--out", "log_dir": "--out", "default_root_dir": "--out",
    "o": "--out", "save_path": "--out", "dest": "--out",
    "gpus": "--processes", "ngpus": "--processes", "devices": "--processes",
    "nproc_per_node": "--processes", "world_size": "--processes", "num_nodes": "--nodes",
    "nnodes": "--nodes", "logger": "--track", "report_to": "--track", "tracker": "--track",
    "topk": "--top", "top_k": "--top", "topp": "--top", "k": "--top", "n": "--top",
    "conf": "--min-confidence", "confidence": "--min-confidence",
    "threshold": "--min-confidence", "conf_thres": "--min-confidence", "config": "--recipe",
    "cfg": "--recipe", "c": "--recipe", "hparams": "--recipe", "set": "--with",
    "augment_test": "--tta", "corruption": "--corrupt", "slice": "--by", "group_by": "--by",
    "report": "--html", "page": "--html", "batch": "--batch-size", "b": "--batch-size",
    "input_size": "--size", "imgsz": "--size", "img_size": "--size", "image_size": "--size",
    "njobs": "--jobs", "n_jobs": "--jobs", "workers": "--jobs", "num_workers": "--jobs",
    "j": "--jobs", "n_seeds": "--seeds", "num_seeds": "--seeds", "layers": "--expand",
    "max_epochs": "--epochs", "num_epochs": "--epochs", "epoch": "--epochs",
}
VERBS: Mapping[str, str] = {  # theirs: a verb here
    "fit": "train", "finetune": "train", "fine-tune": "train", "learn": "train",
    "test": "evaluate", "val": "evaluate", "validate": "evaluate", "eval": "evaluate",
    "score": "evaluate", "infer": "predict", "inference": "predict", "classify": "predict",
    "summary": "show", "info": "show", "describe": "show", "check": "doctor", "lint": "doctor",
    "cv": "cross-validate", "list": "models", "embed": "features", "extract": "features",
    "continue": "resume",
}
PLACES = (  # theirs for what stands behind a verb without a name
    "data", "data_dir", "data_path", "dataset", "dataset_dir", "source", "input", "input_dir",
    "images", "image_dir", "img_dir", "train_dir", "directory", "root", "folder",
)
ANSWERS: dict[str, str] = {  # theirs, which nothing here takes: why
    "num_classes": "the classes are those of the images' labels",
    "nb_classes": "the classes are those of the images' labels",
    "classes": "the classes are those of the images' labels",
    "loss": "the loss is the task's, which the labels decide",
    "criterion": "the loss is the task's, which the labels decide",
    "metrics": "all metrics of the task are measured",
    "metric": "all metrics of the task are measured",
    "verbose": "it tells of each epoch; --quiet says less",
    "v": "it tells of each epoch; --quiet says less",
    "silent": "that is --quiet", "no_progress": "that is --quiet",
    "pin_memory": "images are moved as is fastest", "shuffle": "an epoch's order is shuffled",
    "exist_ok": "no run is overwritten: take another --out",
    "overwrite": "no run is overwritten: take another --out",
    "force": "no run is overwritten: take another --out",
    "dropout": "a network has the dropout of its paper: model.drop_path is stochastic depth",
    "drop": "a network has the dropout of its paper: model.drop_path is stochastic depth",
    "mean": "mean and deviation go with the weights",
    "std": "mean and deviation go with the weights",
    "warmup_epochs": "optim.warmup is a share of the training, or from 1 on steps",
    "warmup_t": "optim.warmup is a share of the training, or from 1 on steps",
    "min_lr": "a schedule ends near zero: optim.schedule names it",
    "lrf": "a schedule ends near zero: optim.schedule names it",
    "gamma": "a schedule has its own steps: optim.schedule names it",
    "step_size": "a schedule has its own steps: optim.schedule names it",
    "milestones": "a schedule has its own steps: optim.schedule names it",
    "decay_epochs": "a schedule has its own steps: optim.schedule names it",
    "decay_rate": "a schedule has its own steps: optim.schedule names it",
    "save": "a run is always saved: --out names its folder",
    "checkpoint": "a stopped training goes on with: saccade resume RUN",
    "resume": "a stopped training goes on with: saccade resume RUN",
}
PYTHON_ANSWERS: Mapping[str, str] = ANSWERS | {  # in Python, where these are written otherwise
    "exist_ok": "no run is overwritten: take another out",
    "overwrite": "no run is overwritten: take another out",
    "force": "no run is overwritten: take another out",
    "save": "a run is always saved: out names its folder",
    "checkpoint": "a stopped training goes on with: saccade.resume(RUN)",
    "resume": "a stopped training goes on with: saccade.resume(RUN)",
}
NOT_BY_NUMBER: Mapping[str, str] = {  # of a setting whose number elsewhere means nothing here
    "model.freeze": "--freeze takes the name of a layer, as saccade show NETWORK lists them, or "
                    "features for all but the last",
}
ABOUT: Mapping[str, str] = {  # of a setting: how far it is what its foreign name means
    "train.threads": "each core has a process that opens images; threads that compute",
}
# fmt: on
YES, NO = ("", "true", "yes", "on", "1"), ("false", "no", "off", "none")  # and any zero
NUMBERS = ("train.ema", "optim.lr")  # settings of switches; these take numbers
SIZE = re.compile(r"[\d\s,x()\[\]]*\d[\d\s,x()\[\]]*")  # (3, 224, 224), 224x224


class Equivalent(NamedTuple):
    """What a foreign name with its value is here: a setting, or an option such as --out."""

    name: str
    value: str


def plain_name(name: str) -> str:
    """A name without the hyphens before it, in lower case with underscores."""
    return name.lstrip("-").replace("-", "_").lower()


def may_be_value(name: str, value: str) -> bool:
    """Whether the word behind a foreign option may be its value; a switch may stand alone."""
    if plain_name(name) not in SWITCHES:
        return True
    setting = SWITCHES[plain_name(name)].partition("=")[0]
    told = value.lower() in YES + NO or value.lower() in VALUES.get(setting, {})
    return told or _number(value) is not None or _is_weights(value)


def is_size(name: str) -> bool:
    """Whether a foreign option is the size of images, behind which several numbers may stand."""
    return NAMES.get(plain_name(name)) == "data.size"


def setting_for(name: str, value: str = "") -> Equivalent | None:
    """The setting, with its value, that a foreign name and value stand for; None for none.

    A switch that is off stands for nothing where its setting has no value for that.
    """
    known = plain_name(name)
    if known in SWITCHES:
        setting, _, on = SWITCHES[known].partition("=")
        if is_off(value):
            if setting == "train.device":
                return Equivalent(setting, "auto" if on == "cpu" else "cpu")
            if "flip" in on:
                return Equivalent(setting, "")  # auto flips, and none of them does not
            off = VALUES.get(setting, {}).get("false")
            return None if off is None else Equivalent(setting, off)
        return Equivalent(setting, _like(on, value, setting))
    if known not in NAMES:
        return None
    setting = NAMES[known]
    return Equivalent(setting, value_for(setting, value))


def value_for(setting: str, value: str) -> str:
    """A value of a setting by its name here; one that is called nothing else as it is."""
    if setting == "data.size" and SIZE.fullmatch(value):
        return re.findall(r"\d+", value)[-1]
    table, word = VALUES.get(setting, {}), value.lower()
    if word not in table and word in YES:
        word = "true"
    if word not in table and is_off(word):
        word = "false"
    return table.get(word, value)


def is_off(value: str) -> bool:
    """Whether a value says no: false, no, off, none, 0, 0.0."""
    return value.lower() in NO or _number(value) == 0


def remark(name: str, value: str) -> str:
    """What of a foreign name and value is otherwise here, and not said by the setting; or ""."""
    known, word = plain_name(name), value.lower()
    setting, _, on = SWITCHES.get(known, NAMES.get(known, known)).partition("=")
    if known in SWITCHES and is_off(value):
        if "flip" in on:
            return "data.augment names all that is done to images, auto flips: name others, or none"
        off = setting_for(name, value) is None
        return f"{known} is left out, and is off unless it is named" if off else ""
    if setting == "data.size" and SIZE.fullmatch(value):
        sides = {*re.findall(r"\d+", value)[-2:]}
        return "" if len(sides) == 1 else "images are square here"
    if setting in ("train.compile", "compile") and word in VALUES["train.compile"]:
        plain = (*YES, "inductor", "default", "reduce-overhead", "cudagraphs")
        return "" if word in plain or is_off(word) else "it is compiled by inductor here"
    if known in SWITCHES and _number(value) is not None and word not in YES:
        used = ":" in on or setting in NUMBERS or word in VALUES.get(setting, {})
        return "" if used else f"{known} takes no number here"
    return "" if setting.endswith(known) else ABOUT.get(setting, "")


def _like(on: str, theirs: str, setting: str) -> str:
    """The value of a switch that is on, with `theirs` where it is a number, a name or a file."""
    head, colon, _ = on.partition(":")
    number, word = _number(theirs) is not None, theirs.lower()
    if number and colon:  # mixup:0.2
        return f"{head}:{theirs}"
    if word in YES:
        return on
    if (number and setting in NUMBERS) or (setting == "model.weights" and _is_weights(theirs)):
        return theirs
    return VALUES.get(setting, {}).get(word, on)


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _is_weights(value: str) -> bool:
    return value.endswith((".pth", ".pt", ".safetensors", ".npz"))
