"""A GPU is one process's at a time, and free again however that process ends. The GPUs are pretended."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pynvml
import pytest

from dilt.jobs import gpus
from dilt.jobs.gpus import Gpu, visible_gpus
from tests.conftest import ROOT
from tests.pretended import GPUS, pretend_gpus

FIRST, SECOND = GPUS
CLAIM = "import os; from dilt.jobs.gpus import claim_gpus; claim_gpus(); seen = os.environ.get('CUDA_VISIBLE_DEVICES')"
HOLD = f"{CLAIM}; print('sees', seen, flush=True); input()"
MISSING = """
import pynvml

def missing(name):
    raise OSError(f"{name}: cannot open shared object file")

pynvml.CDLL = missing  # also where there is one
"""
COMPUTE = f"""
import sys, time
{CLAIM}
start = time.monotonic()
time.sleep(0.2)
print(seen, start, time.monotonic())
"""


class Machine:
    """A machine with pretended GPUs, and processes of dilt on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[str]] = []
        (folder / "tmp").mkdir()
        pretend_gpus(folder / "nvml")

    def start(self, code: str, **environment: str) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(self.folder / "nvml"), str(ROOT)])
        inherited = {"TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": path}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=inherited | environment,
            stdin=subprocess.PIPE,
            stdout=open(self.log(len(self.running)), "w"),  # noqa: SIM115
            text=True,
        )
        self.running.append(process)
        return process

    def log(self, number: int) -> Path:
        return self.folder / f"{number}.log"

    def says(self, number: int, text: str) -> str:
        """The log of a process once it has a text."""
        wait_until(lambda: text in self.log(number).read_text(), f"process {number} to say '{text}'")
        return self.log(number).read_text()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    for process in machine.running:
        process.kill()
        process.communicate()


def test_a_third_process_waits_and_gets_the_gpu_of_a_killed_one(machine: Machine) -> None:
    machine.start(HOLD)
    assert f"# GPU 0 ({FIRST})\nsees {FIRST}\n" in machine.says(0, "sees")
    machine.start(HOLD)
    assert f"# GPU 1 ({SECOND})\nsees {SECOND}\n" in machine.says(1, "sees")
    machine.start(HOLD)
    told = machine.says(2, "\n")
    assert (
        told
        == f"# waits for a GPU: other jobs of dilt have 0, 1 (locks in {next((machine.folder / 'tmp').iterdir())})\n"
    )
    machine.running[1].kill()
    assert machine.says(2, "sees").removeprefix(told) == f"# GPU 1 ({SECOND})\nsees {SECOND}\n"
    assert machine.running[0].poll() is None


def test_many_processes_are_never_two_on_one_gpu(machine: Machine) -> None:
    for _ in range(8):
        machine.start(COMPUTE)
    assert [process.wait(timeout=120) for process in machine.running] == [0] * 8
    times: dict[str, list[tuple[float, float]]] = {FIRST: [], SECOND: []}
    for number in range(8):
        gpu, start, end = machine.log(number).read_text().splitlines()[-1].split()
        times[gpu].append((float(start), float(end)))
    assert all(times.values()), "both were used"
    for intervals in map(sorted, times.values()):
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(intervals))


def test_processes_share_a_gpu_where_they_may_and_spread_over_gpus_first(machine: Machine) -> None:
    for _ in range(5):
        machine.start(HOLD, DILT_JOBS_PER_GPU="2")
    for number in range(5):
        machine.says(number, "\n")
    told = [machine.log(number).read_text() for number in range(5)]
    assert sum("waits for a GPU" in text for text in told) == 1
    sharing = [number for number, text in enumerate(told) if "waits" not in text]
    seen = [machine.says(number, "sees").split()[-1] for number in sharing]
    assert sorted(seen) == [FIRST, FIRST, SECOND, SECOND]


def test_a_job_of_two_gpus_gets_both_or_waits(machine: Machine) -> None:
    machine.start(HOLD)
    machine.says(0, "sees")
    both = HOLD.replace("claim_gpus()", "claim_gpus(2)")
    machine.start(both)
    assert "waits for a GPU" in machine.says(1, "\n")
    machine.start(HOLD)
    assert f"sees {SECOND}" in machine.says(2, "sees"), "a job that waits holds nothing"
    machine.running[0].kill()
    machine.running[2].kill()
    assert f"sees {FIRST},{SECOND}" in machine.says(1, "sees")


def test_more_gpus_than_there_are_is_an_error(machine: Machine) -> None:
    machine.start("from dilt.jobs.gpus import claim_gpus\ntry: claim_gpus(3)\nexcept ValueError as error: print(error)")
    assert machine.says(0, "\n") == "jobs.gpus: 3, but 2 GPU(s) can be seen here; ask for no more than that\n"


@pytest.mark.parametrize("named", ["1", SECOND, SECOND[:10]])
def test_a_gpu_is_one_and_the_same_however_it_is_named(machine: Machine, named: str) -> None:
    machine.start(HOLD, CUDA_VISIBLE_DEVICES=f"{SECOND},0")
    assert f"sees {SECOND}" in machine.says(0, "sees")
    machine.start(HOLD, CUDA_VISIBLE_DEVICES=named)
    assert "other jobs of dilt have 1 " in machine.says(1, "\n")


def test_a_second_claim_of_a_process_is_its_first(machine: Machine) -> None:
    machine.start(f"{CLAIM}; assert claim_gpus() is claim_gpus(); print('sees', seen)")
    machine.says(0, f"sees {FIRST}")


def test_what_a_scheduler_assigned_is_taken_as_it_is(machine: Machine) -> None:
    for number in range(2):
        machine.start(HOLD, SLURM_JOB_ID="7", CUDA_VISIBLE_DEVICES="1")
        assert machine.says(number, "sees") == "sees 1\n"


def test_gpus_assigned_to_one_scheduled_job_are_shared_out_among_its_processes(machine: Machine) -> None:
    for number, gpu in enumerate(GPUS):
        machine.start(HOLD, SLURM_JOB_ID="7", CUDA_VISIBLE_DEVICES="0,1")
        assert f"sees {gpu}" in machine.says(number, "sees")


@pytest.mark.parametrize("broken", ["no library", "no driver", "no GPU", "none that works"])
def test_nothing_is_claimed_without_gpus(machine: Machine, broken: str) -> None:
    nvml = machine.folder / "nvml"
    if broken == "no library":
        (nvml / "sitecustomize.py").write_text(MISSING)
    elif broken == "no driver":
        pretend_gpus(nvml, initialised=pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    else:
        pretend_gpus(nvml, [] if broken == "no GPU" else [None])
    machine.start(HOLD)
    assert machine.says(0, "sees") == "sees None\n"
    assert not list((machine.folder / "tmp").iterdir())


def test_a_lost_gpu_is_left_out_and_the_others_keep_their_numbers(machine: Machine) -> None:
    pretend_gpus(machine.folder / "nvml", [None, *GPUS])
    machine.start(HOLD)
    assert f"# GPU 1 ({FIRST})" in machine.says(0, "sees")
    machine.start(HOLD, CUDA_VISIBLE_DEVICES="2")
    assert f"# GPU 2 ({SECOND})" in machine.says(1, "sees")


def test_a_driver_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pynvml, "nvmlInit", threading.Event().wait)
    monkeypatch.setattr(gpus, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match=r"NVIDIA's driver: no answer within 0\.2 s; mend it"):
        gpus.installed_gpus()


def test_nothing_is_claimed_where_gpus_are_hidden(machine: Machine) -> None:
    machine.start(HOLD, CUDA_VISIBLE_DEVICES="")
    assert machine.says(0, "sees") == "sees \n"


@pytest.mark.parametrize(("cuda", "claims"), [("13.0", True), (None, False)], ids=["CUDA", "no CUDA"])
def test_a_stage_claims_a_gpu_if_its_torch_can_use_one(machine: Machine, cuda: str | None, claims: bool) -> None:
    machine.start(
        "import torch; from dilt.networks.devices import use_device; "
        f"torch.version.cuda = {cuda!r}; print(use_device(1))"
    )
    assert (f"# GPU 0 ({FIRST})" in machine.says(0, "cpu")) == claims


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        (None, "01"),
        ("1,0", "10"),
        (" 1 ", "1"),
        (SECOND, "1"),
        ("GPU-a", "0"),
        ("0,-1,1", "0"),
        ("0,2,1", "0"),
        ("-1", ""),
        ("", ""),
        ("NoDevFiles", ""),
    ],
)
def test_visible_devices_are_read_as_cuda_reads_them(visible: str | None, indices: str) -> None:
    installed = [Gpu("0", FIRST), Gpu("1", SECOND)]
    assert [gpu.index for gpu in visible_gpus(installed, visible)] == list(indices)


def test_slices_of_a_gpu_are_gpus_of_their_own() -> None:
    slices = ["MIG-1111", "MIG-2222"]
    assert [gpu.uuid for gpu in visible_gpus([Gpu("0", FIRST)], ",".join(slices))] == slices
