"""Facts about training with several ranks: GPUs on a cluster, here CPU processes that talk through gloo."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from builders import images
from small_networks import ADAMW, CPU, MLP, SGD, mask_of, network, train_in
from torch import nn

from dilt.foundations.storage import Tensors
from dilt.networks import building
from dilt.settings.training import Training
from tests.conftest import ROOT
from tests.processes import still_working

TWO = (CPU, CPU)
RUGGED = ADAMW.model_copy(update={"augmentation": "crop-flip"})
# What a recipe draws for images and batches has to be the same for any number of ranks.
RECIPE = RUGGED.model_copy(
    update={
        **{"auto_augment": "trivial", "erasing": 0.5, "erase_with": "noise", "mixup": 0.8, "cutmix": 0.8},
        **{"clip_norm": 0.5, "ema_decay": 0.9, "warmup_epochs": "3it"},
    }
)


def plain() -> nn.Module:
    """A network without batch norm or dropout, whose gradients do not depend on how a batch is shared out."""
    data = images()
    return building.build(MLP, data.image_shape, data.classes, 0)


def assert_equal(first: Tensors, second: Tensors) -> None:
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


@pytest.mark.parametrize("settings", [SGD, RECIPE], ids=["sgd", "recipe"])
def test_two_ranks_train_as_one_does(tmp_path: Path, settings: Training) -> None:
    mask = mask_of(plain())
    one, of_one = train_in(tmp_path / "one", plain(), mask, settings)
    two, of_two = train_in(tmp_path / "two", plain(), mask, settings, devices=TWO)
    for name, array in one.items():
        assert np.allclose(array, two[name], rtol=1e-3, atol=1e-5), name
    for name in mask.names:
        assert not two[name][~mask[name]].any()
    assert [row["train_loss"] for row in of_two] == pytest.approx([row["train_loss"] for row in of_one], rel=1e-4)
    assert not torch.distributed.is_initialized()
    assert not other_ranks(psutil.Process())


def test_a_training_of_two_ranks_stopped_within_an_epoch_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    undisturbed, history = train_in(tmp_path / "undisturbed", network(), mask_of(network()), RUGGED, devices=TWO)
    with pytest.raises(SystemExit) as stopped:
        train_in(tmp_path / "job", network(), mask_of(network()), RUGGED, stop_at=5, devices=TWO)
    assert stopped.value.code == 143
    weights, resumed = train_in(tmp_path / "job", network(), mask_of(network()), RUGGED, devices=TWO)
    assert_equal(weights, undisturbed)
    assert resumed == history


LOOPS = """
import sys
from pathlib import Path
import torch
from torch import distributed
from builders import images
from small_networks import CPU, SGD, mask_of, network
from dilt.foundations import storage
from dilt.networks import states
from dilt.training import ranks
from dilt.training.loop import Loop, Work

rank, folder = int(sys.argv[1]), Path(sys.argv[2])
ranks.join(rank, [CPU, CPU], folder / "meeting")
model = network()
if rank:
    torch.nn.init.ones_(model.conv.weight)
loop = Loop(Work(model, images(), mask_of(network()), SGD, 0, "full"), CPU, rank, 2)
for _ in loop.steps():
    pass
storage.write_tensors(folder / f"{rank}.safetensors", states.state(model), {})
distributed.destroy_process_group()
"""


def test_every_rank_has_the_same_weights_under_the_same_mask(tmp_path: Path) -> None:
    from dilt.foundations.storage import read_tensors

    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "unit")])}
    processes = [
        subprocess.Popen([sys.executable, "-c", LOOPS, str(rank), str(tmp_path)], env=environment) for rank in range(2)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    first, second = (read_tensors(tmp_path / f"{rank}.safetensors")[0] for rank in range(2))
    mask = mask_of(network())
    for name in dict(network().named_parameters()):
        assert np.array_equal(first[name], second[name]), name
    for name in mask.names:
        assert not second[name][~mask[name]].any()


TRAINING = """
from pathlib import Path
from builders import images
from small_networks import ADAMW, CPU, checkpoints, network
from dilt.training.loop import Work
from dilt.training.session import train

if __name__ == "__main__":
    settings = ADAMW.model_copy(update={"epochs": 100000})
    with checkpoints(Path("job")).of("full") as checkpoint:
        train(Work(network(), images(), None, settings, 0, "full"), images(), [CPU, CPU], checkpoint)
"""


def start_training(folder: Path) -> tuple[subprocess.Popen[str], psutil.Process]:
    """A long training of two ranks and the process of the second, once both train."""
    (folder / "job.py").write_text(TRAINING)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "unit")])}
    job = subprocess.Popen(
        [sys.executable, "job.py"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None
    assert "epoch" in job.stdout.readline()
    (other,) = other_ranks(psutil.Process(job.pid))
    return job, other


def other_ranks(first: psutil.Process) -> list[psutil.Process]:
    return [child for child in first.children() if "spawn_main" in " ".join(child.cmdline())]


def test_the_other_rank_ends_when_the_first_is_killed(tmp_path: Path) -> None:
    job, other = start_training(tmp_path)
    job.kill()
    job.communicate()
    assert not still_working([other])


def test_a_signal_to_all_processes_saves_as_a_signal_to_the_first_does(tmp_path: Path) -> None:
    job, other = start_training(tmp_path)
    other.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert still_working([other], seconds=0)
    job.send_signal(signal.SIGTERM)
    assert "run again to go on from" in job.communicate(timeout=60)[0]
    assert job.returncode == 143
    assert not still_working([other])


def test_a_rank_that_is_lost_ends_the_job_with_a_line(tmp_path: Path) -> None:
    job, other = start_training(tmp_path)
    other.kill()
    told = job.communicate(timeout=60)[1]
    assert "rank 1 ended with exit code -9; run again to go on from the last checkpoint" in told
    assert job.returncode == 1


def test_norms_of_cpu_ranks_cannot_be_synchronised(tmp_path: Path) -> None:
    settings = SGD.model_copy(update={"batch_norm": "synchronised"})
    with pytest.raises(ValueError, match=r"training\.batch_norm: synchronised needs GPUs; set it to local"):
        train_in(tmp_path, network(), None, settings, devices=TWO)
    train_in(tmp_path, network(), None, settings)  # with one rank there is nothing to synchronise
