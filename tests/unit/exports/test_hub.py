"""Facts about pushing, to an endpoint that answers as the Hugging Face Hub does: all or nothing is uploaded."""

import base64
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from small_networks import MLP

import dilt
from tests.unit.exports.test_exporting import experiment

TOKEN = "hf_of-this-test"
REPOSITORY = "someone/core"


class Hub(ThreadingHTTPServer):
    """An endpoint with the hub's answers to what a push asks; keeps the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[str] = []
        self.made: dict[str, Any] = {}
        self.before: list[str] = []
        self.files: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self.refuses_card = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self.answer({"error": "Invalid credentials"}, 401)
        elif self.path == "/api/whoami-v2":
            self.answer({"type": "user", "name": "someone", "orgs": []})
        elif "/tree/" in self.path:
            self.answer([{"type": "file", "path": path, "size": 1, "oid": "0" * 40} for path in self.server.before])
        else:
            self.answer({"sha": "0" * 40, "siblings": [], "id": REPOSITORY})

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/api/validate-yaml":
            if self.server.refuses_card:
                self.answer({"error": "license must be one of [apache-2.0, mit]"}, 400)
            else:
                self.answer({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            self.server.made = json.loads(body)
            self.answer({"url": f"{self.server.address}/{REPOSITORY}", "name": REPOSITORY})
        elif self.path == f"/api/models/{REPOSITORY}/preupload/main":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self.answer({"files": files})
        elif self.path.startswith(f"/api/models/{REPOSITORY}/commit/main"):
            lines = [json.loads(line) for line in body.splitlines()]
            for line in lines:
                if line["key"] == "deletedFile":
                    self.server.deleted.append(line["value"]["path"])
                elif line["key"] == "file":
                    self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self.answer(
                {"commitUrl": f"{self.server.address}/{REPOSITORY}/commit/1", "commitOid": "1", "success": True}
            )
        else:
            self.answer({"error": f"not known here: {self.path}"}, 404)

    def answer(self, told: Any, status: int = 200) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "core"
    dilt.export_ticket(experiment(folder.parent, MLP), folder)
    (folder / "notes.txt").write_text("of the user")
    return folder


def run(words: list[object], hub: Hub, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"HF_ENDPOINT": hub.address, "HF_HOME": str(folder / "hf"), "HF_TOKEN": TOKEN} | environment
    given = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=given | {name: value for name, value in own.items() if value},
        capture_output=True,
        text=True,
    )


def push(folder: Path, hub: Hub, public: bool = False, **environment: str) -> str:
    """What is said of pushing a folder: its address, or the error's line."""
    code = f"""
from pathlib import Path
from dilt.exports import hub
try:
    print(hub.push(Path("{folder.name}"), "{REPOSITORY}", {public}))
except ValueError as error:
    print(error)
"""
    ran = run(["-c", code], hub, folder.parent, **environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.rstrip("\n")


@pytest.mark.parametrize("public", [False, True])
def test_a_folder_is_pushed_as_it_is_and_is_private_unless_told_otherwise(
    exported: Path, hub: Hub, public: bool
) -> None:
    hub.before = ["model.onnx", "README.md", "others.txt"]
    assert push(exported, hub, public) == f"{hub.address}/{REPOSITORY}"
    assert hub.deleted == ["model.onnx"], "of an earlier export, which had it"
    assert (hub.made["name"], hub.made["organization"]) == ("core", "someone")
    assert hub.made.get("private", hub.made.get("visibility") == "private") is not public
    assert set(hub.files) == {"model.safetensors", "mask.safetensors", "config.json", "README.md"}
    assert all((exported / name).read_bytes() == content for name, content in hub.files.items())
    order = [hub.asked.index(path) for path in ("/api/whoami-v2", "/api/validate-yaml", "/api/repos/create")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"HF_TOKEN": ""}, "no token found"),
        ({"HF_TOKEN": "hf_wrong"}, "Invalid user token"),
        ({"HF_HUB_OFFLINE": "1"}, "offline mode is enabled"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "Connection refused"),
    ],
)
def test_without_token_or_connection_a_line_says_so_before_anything_is_uploaded(
    exported: Path, hub: Hub, environment: dict[str, str], reason: str
) -> None:
    (line,) = push(exported, hub, **environment).splitlines()
    assert line.startswith(f"{REPOSITORY}: not pushed (")
    assert reason in line
    command = line.partition("core is written, and once this is mended, `")[2].removesuffix("` pushes it").split()
    assert command[:4] == ["hf", "upload", REPOSITORY, "core"]
    included = {name for option, name in itertools.pairwise(command) if option == "--include"}
    assert included == {"model.safetensors", "mask.safetensors", "config.json", "README.md"}
    assert command[-1] == "--private"
    assert not set(hub.asked) & {"/api/validate-yaml", "/api/repos/create"}


def test_a_card_that_the_hub_refuses_is_not_pushed(exported: Path, hub: Hub) -> None:
    hub.refuses_card = True
    assert "license must be one of" in push(exported, hub)
    assert "/api/repos/create" not in hub.asked
    assert hub.files == {}


def test_export_and_push_are_one_command(tmp_path: Path, hub: Hub) -> None:
    words = ["-m", "dilt.export", experiment(tmp_path, MLP), "--to", "core", "--licence", "MIT", "--push-to"]
    ran = run([*words, "some one/core"], hub, tmp_path)
    assert "error: --push-to: 'some one/core' is no repository" in ran.stderr
    assert not (tmp_path / "core").exists(), "refused before anything is written"

    ran = run([*words, REPOSITORY], hub, tmp_path)
    assert ran.stdout.splitlines()[-1] == f"{hub.address}/{REPOSITORY}: pushed"
    assert b"\nlicense: mit\n" in hub.files["README.md"]

    ran = run([*words, REPOSITORY], hub, tmp_path, HF_TOKEN="")
    assert ran.returncode == 1
    assert ran.stdout.startswith("core: dilt.load_exported('core') loads it")
    assert ran.stderr.splitlines()[-1].startswith(f"python -m dilt.export: error: {REPOSITORY}: not pushed (")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--from", "core", "--push-to", REPOSITORY], "--push-to: is of exports; leave out --from"),
        (["--from", "core", "--onnx"], "--onnx: is of exports; leave out --from"),
        (["results/a/seed-0/tickets/round-1/core", "--public"], "--public: is of --push-to OWNER/NAME; give both"),
    ],
)
def test_options_that_do_not_go_together_are_told(words: list[str], line: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "dilt.export", *words, "--to", str(tmp_path / "to")], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert line in ran.stderr.splitlines()[-1]
