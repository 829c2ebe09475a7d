"""What other tools call the keys of the configuration: timm, Lightning, Hydra, transformers, scikit-learn.

Someone who types such a word is told the key.
"""

from __future__ import annotations

from collections.abc import Mapping

# Key, with what there is to know of it, and the words for it, which mean the same in whichever section they stand.
WORDS: Mapping[str, str] = {
    "experiment": "run_name project job_name exp_name",
    "experiment: results lie in results/<experiment>": "output_dir out_dir log_dir logdir save_dir results_dir",
    "seeds, a list": "seed random_seed random_state num_seeds n_seeds",
    "source": "dataset data datamodule train_data",
    "source.name": "dataset_name data_name",
    "source.root": "data_dir data_path dataset_path data_root train_dir",
    "source.image_size": "img_size input_size resolution image_res crop_size",
    "source.classes": "num_classes class_names labels",
    "source.validation_share": "val_split val_share val_size validation_split val_ratio",
    "source.test_share": "test_size test_ratio",
    "source.split_seed": "split_random_state",
    "source.partitions": "tasks splits class_splits groups_of_classes",
    "targets": "target downstream transfer_datasets eval_datasets",
    "model.name": "arch architecture backbone network net model_name",
    "model.arguments: {pretrained: true}": "pretrained",
    "model.weights": "checkpoint initial_checkpoint checkpoint_path ckpt_path ckpt",
    "model.arguments": "model_kwargs kwargs model_args",
    "training": "train trainer fit",
    "training.epochs": "num_epochs n_epochs max_epochs num_train_epochs",
    "training.batch_size": "bs batch per_device_train_batch_size",
    "training.optimizer": "opt optim optimiser",
    "training.learning_rate": "lr base_lr max_lr init_lr",
    "training.weight_decay": "wd l2",
    "training.schedule": "sched scheduler lr_scheduler lr_schedule lr_scheduler_type",
    "training.milestones": "decay_milestones lr_steps",
    "training.decay": "decay_rate gamma lr_decay",
    "training.warmup_epochs": "warmup num_warmup_epochs warmup_length",
    "training.label_smoothing": "smoothing label_smoothing_factor",
    "training.augmentation": "aug augment augmentations transforms transform",
    "training.auto_augment": "aa autoaugment randaugment rand_augment trivialaugment policy",
    "training.color_jitter": "jitter colour_jitter colorjitter",
    "training.erasing": "reprob random_erasing random_erase erase",
    "training.mixup": "mixup_alpha",
    "training.cutmix": "cutmix_alpha",
    "training.clip_norm": "clip_grad grad_clip max_grad_norm gradient_clip_val clip_grad_norm",
    "training.ema_decay": "ema model_ema model_ema_decay",
    "training.layer_decay": "layerwise_decay layer_lr_decay llrd",
    "model.arguments: {drop_path_rate: 0.1}": "drop_path drop_path_rate stochastic_depth",
    "training.precision": "amp bf16 fp16 dtype amp_dtype mixed_precision",
    "training.compile": "torchcompile torch_compile",
    "pruning": "prune imp",
    "pruning.rounds": "iterations levels num_rounds n_rounds pruning_rounds cycles",
    "pruning.rate, the share of the live weights that each round removes": "sparsity amount ratio prune_ratio fraction",
    "pruning.pattern": "nm sparsity_pattern semi_structured structured n_m mask_pattern",
    "pruning.rewind_epoch": "rewind rewind_epochs rewinding_epoch rewinding",
    "tickets.claim_rounds": "round claim_round",
    "transfer.penalties, inverse regularisation strengths as scikit-learn's C": "C penalty alpha regularization",
    "transfer.protocols": "protocol modes",
    "representations.probes": "num_probes n_probes probe_images n_samples",
    "representations.layers": "blocks hooks layer_names",
    "distances.cost": "metric distance",
    "clustering.number": "n_clusters num_clusters num_modules",
    "claims.margin": "effect_size delta min_effect",
    "claims.confidence": "alpha_level significance",
    "jobs.gpus": "devices num_gpus n_gpus ngpus gpu",
    "jobs.workers": "num_workers workers_per_gpu n_workers dataloader_num_workers",
    "jobs.threads": "num_threads n_threads n_jobs cpus",
    "jobs.mem_mb": "mem memory mem_gb",
}
_KEYS = {word.lower(): key for key, words in WORDS.items() for word in words.split()}


def key_for(word: str) -> str | None:
    """The key, and what there is to know of it, that another tool's word stands for; None for other words."""
    return _KEYS.get(word.lower().replace("-", "_").lstrip("_"))
