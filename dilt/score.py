"""Stage `score`: ranks the weights of theta0 without training them, by SNIP, GraSP and SynFlow, for control tickets."""

from __future__ import annotations

import argparse

from dilt.foundations import storage
from dilt.foundations.randomness import derive_seed
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.tickets.pattern import Pattern

PER_CLASS = 10  # images, as GraSP takes them; SNIP takes a batch of images, here the same ones


class Options(Section):
    """What `score` reads from the configuration."""

    model: Model
    exclude: list[str]
    pattern: PatternText


def score(arguments: argparse.Namespace) -> None:
    """Write the saliencies of theta0's prunable weights by every criterion, from a sample of the training images."""
    import numpy as np
    import torch

    from dilt.data.augmentation import normalise
    from dilt.data.image_parts import class_sample
    from dilt.data.prepared import read_split
    from dilt.networks import architectures, building
    from dilt.networks.devices import autocast, seed_device, use_device
    from dilt.networks.saliency_criteria import OF_IMAGES, OF_NO_IMAGES

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    source = read_split(arguments.data, "train")
    sample = source.take(class_sample(source.labels, PER_CLASS, arguments.seed))
    theta0, _ = storage.read_tensors(arguments.theta0)
    model = building.build(options.model, source.image_shape, source.classes, arguments.seed, theta0).to(device)
    names = list(architectures.prunable(model, options.exclude, Pattern.of(options.pattern).group))

    pixels = torch.from_numpy(sample.pixels[np.arange(len(sample))]).to(device)
    images, labels = normalise(pixels, source), torch.from_numpy(np.array(sample.labels)).to(device)
    for criterion, path in command.zipped(arguments.criteria, arguments.saliencies):
        seed_device(device, derive_seed(arguments.seed, "saliencies", criterion))  # of dropout
        with autocast(device, "float32"):
            if criterion in OF_IMAGES:
                saliencies = OF_IMAGES[criterion](model, names, images, labels)
            else:
                saliencies = OF_NO_IMAGES[criterion](model, names, source.image_shape)
        made = {"seed": arguments.seed, "criterion": criterion, "versions": command.versions(device.type)}
        storage.write_tensors(path, dict(saliencies), made)
        print(f"{criterion}: {sum(saliency.size for saliency in saliencies.values()):,} weights", flush=True)


def main() -> None:
    """Run the stage from the command line."""
    from dilt.tickets.names import CRITERIA

    parser = command.parser("score", score.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--criteria", nargs="+", required=True, choices=CRITERIA, help="what weights are ranked by")
    command.add_path_lists(parser, "--saliencies", help="files to write, one per criterion")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    command.run(parser, score)


if __name__ == "__main__":
    main()
