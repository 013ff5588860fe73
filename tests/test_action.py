"""The GitHub Action, run as GitHub runs it: its steps' scripts under `bash -e`, inputs as variables, nothing else.

The first step needs the package registry; where it is not run, a stand-in takes the environment's place.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import firmware
from tests.support.load_files import hex_file
from toolchain import runs
from toolchain.files import read_toml
from toolchain.profiles import load
from toolchain.settings import RunSettings
from toolchain.verification.budgets_file import read_budgets

ROOT = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
INSTALL, CHECK = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
HEAVY = ("torch", "onnx", "onnxruntime", "ziglang", "numpy", "unicorn")

BUDGETS = """
max_growth = "2%"

[[artifacts]]
path = "build/firmware.hex"
profile = "stm32f405"
flash = "32KiB"

[[artifacts]]
path = "build/radio.hex"
profile = "nrf52840"
"""


class Runner:
    """A job on GitHub's runner: a checkout, a folder for temporary files, and the summary of its step."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.temporary, self.summary = folder / "work", folder / "temp", folder / "summary.md"
        self.workspace.mkdir()
        self.temporary.mkdir()
        self.commit = "a" * 40

    def run(self, step: dict[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run ``step`` with ``inputs``, names with _ for -, the others at their defaults."""
        given = {name: str(spec.get("default", "")) for name, spec in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        script = self.temporary / "step.sh"
        script.write_text(step["run"])
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHON": sys.executable,
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_SHA": self.commit,
            "RUNNER_TEMP": str(self.temporary),
            **{
                name: value
                for name, value in os.environ.items()
                if name.startswith(("PIP_", "SSL_", "REQUESTS_"))
            },
            **{name: _filled(text, given) for name, text in step.get("env", {}).items()},
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace / _filled(step.get("working-directory", "."), given),
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def stand_in(self) -> None:
        """In place of the first step: this Python, told to take the package from here."""
        python = self.temporary / "spikenas-check" / "bin" / "python"
        python.parent.mkdir(parents=True)
        script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from toolchain.cli.main import main; sys.exit(main())"
        python.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "-I -m toolchain.cli.main" ] || exit 99\nshift 3\n'
                          f"exec '{sys.executable}' -c \"{script}\" \"$@\"\n")  # fmt: skip
        python.chmod(0o755)

    def build(self, size_bytes: int) -> None:
        """What the user's build makes: an image of ``size_bytes``, and another that never changes."""
        (self.workspace / "build").mkdir(exist_ok=True)
        for name, size, origin in (("firmware", size_bytes, 0x0800_0000), ("radio", 5000, 0)):
            chunks = [(origin + start, bytes(min(200, size - start))) for start in range(0, size, 200)]
            (self.workspace / "build" / f"{name}.hex").write_bytes(hex_file(chunks))


def _filled(text: str, inputs: dict[str, str]) -> str:
    return EXPRESSION.sub(lambda found: inputs[found[1]], text)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    made.stand_in()
    return made


def require_the_gate_to_hold(runner: Runner) -> None:
    """The main branch passes and leaves a report; a pull request that outgrows its budget, or just grows, fails."""
    (runner.workspace / "spikenas.toml").write_text(BUDGETS)
    runner.build(30_000)
    done = runner.run(CHECK)
    assert done.returncode == 0, done.stderr
    assert json.loads((runner.workspace / "spikenas-check.json").read_text())["commit"] == runner.commit
    runner.commit = "b" * 40
    for size, sentence in (
        (
            33_000,
            "build/firmware.hex is over budget by 232 bytes: flash needs 33,000 and has 32,768; that is 3,000 bytes "
            "(+10.0%) more than the 30,000 of commit aaaaaaaaaaaa (",
        ),
        (
            31_000,
            "build/firmware.hex grew by more than the tolerated 2%: flash needs 31,000, 1,000 bytes (+3.3%) more than "
            "the 30,000 of commit aaaaaaaaaaaa (",
        ),
    ):
        runner.summary.unlink()
        runner.build(size)
        done = runner.run(CHECK, base="spikenas-check.json", report="now.json", junit="junit.xml")
        assert done.returncode == 4
        said = sentence.replace("%", "%25")
        assert f"::error file=spikenas.toml,title=spikenas-deploy check::{said}" in done.stderr
        text = runner.summary.read_text()
        assert done.stdout == text and f"- {sentence}" in text
        change = f"{size - 30_000:+,} (+{(size - 30_000) / 300:.1f}%)"
        assert f"| build/firmware.hex | flash | {size / 1024:.1f} KiB | {change} | 32.0 KiB |" in text
        assert "| build/radio.hex | flash | 5,000 B | 0 |" in text
        assert 'failures="1"' in (runner.workspace / "junit.xml").read_text()
    runner.build(30_500)
    assert runner.run(CHECK, base="spikenas-check.json").returncode == 0


def test_a_pull_request_that_outgrows_its_budget_fails_with_the_table(runner: Runner) -> None:
    require_the_gate_to_hold(runner)


def test_inputs_reach_the_command_line(runner: Runner) -> None:
    runner.build(20_000)
    (runner.workspace / "sub").mkdir()
    given = {"artifact": "../build/firmware.hex", "profile": "stm32f405", "working_directory": "sub"}
    assert runner.run(CHECK, **given, flash="20000", report="").returncode == 0
    assert not list((runner.workspace / "sub").iterdir())
    assert runner.run(CHECK, **given).returncode == 0
    assert (runner.workspace / "sub" / "spikenas-check.json").is_file()
    assert runner.run(CHECK, **given, flash="19KiB").returncode == 4
    assert "does not say what SRAM it takes" in runner.run(CHECK, **given, sram="64KiB").stderr
    assert (
        "no function or variable whose name begins with"
        in runner.run(CHECK, **given, symbol_prefix="x_").stderr
    )
    growth = runner.run(CHECK, **given, base="spikenas-check.json", max_growth="0%")
    assert growth.returncode == 0 and "| change |" in growth.stdout
    (runner.workspace / "sub" / "mine.toml").write_text("[[artifacts]]\npath = 'none.hex'\nflash = 5\n")
    missing = runner.run(CHECK, config="mine.toml", working_directory="sub")
    assert missing.returncode == 3 and "::error file=mine.toml" in missing.stderr


HOSTILE = ("$(touch pwned)", '"; touch pwned; "', "'; touch pwned; '", "x\ntouch pwned\n", "--help", "a b*")
READ = sorted(set(ACTION["inputs"]) - {"working-directory", "report", "junit"})


@pytest.mark.parametrize(
    ("names", "text"), [(READ, text) for text in HOSTILE] + [([name], HOSTILE[0]) for name in READ]
)
def test_no_input_is_a_command_or_an_option(runner: Runner, names: list[str], text: str) -> None:
    runner.build(1000)
    named = {} if "config" in names else {"artifact": "build/firmware.hex", "profile": "stm32f405"}
    done = runner.run(CHECK, **{**named, **dict.fromkeys(names, text)})
    assert done.returncode == 3, done.stderr
    assert "::error file=" in done.stderr and "Usage" not in done.stdout
    assert {path.name for path in runner.workspace.iterdir()} == {"build"}


def test_scripts_hold_no_expression_and_every_input_is_used() -> None:
    assert ACTION["runs"]["using"] == "composite"
    used = set()
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash" and "${{" not in step["run"]
        for text in [*step.get("env", {}).values(), step.get("working-directory", "")]:
            found = EXPRESSION.fullmatch(text) if text else None
            assert found or not text
            used |= {found[1]} if found else set()
    assert used == set(ACTION["inputs"])
    assert all(spec["description"] for spec in ACTION["inputs"].values())


def guide(language: str) -> str:
    """The block of that language in the guide."""
    found = re.search(
        rf"```{language}\n(.*?)```", (ROOT / "docs" / "guides" / "ci.md").read_text(), re.DOTALL
    )
    assert found
    return found[1]


def test_the_guide_s_workflow_uses_inputs_that_there_are() -> None:
    workflow = yaml.safe_load(guide("yaml"))
    (step,) = (
        step for step in workflow["jobs"]["size"]["steps"] if "spikenas-deploy@" in step.get("uses", "")
    )
    assert set(step["with"]) <= set(ACTION["inputs"])
    kept = [s for s in workflow["jobs"]["size"]["steps"] if "run" in s and "mv" in s["run"]]
    assert ACTION["inputs"]["report"]["default"] in kept[0]["run"]


def test_the_guide_s_budgets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "spikenas.toml"
    path.write_text(guide("toml"))
    assert [entry.name for entry in read_budgets(path)] == ["build/firmware.elf", "bootloader"]


def requirements() -> list[Requirement]:
    lines = (ROOT / "requirements-check.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_requirements_are_those_of_the_package() -> None:
    declared = {
        str(Requirement(line)) for line in read_toml(ROOT / "pyproject.toml")["project"]["dependencies"]
    }
    assert [str(wanted) for wanted in requirements() if str(wanted) not in declared] == []


def test_requirements_are_what_check_imports(tmp_path: Path) -> None:
    """No more and no less: what is loaded after an image, a model and a run were checked, and what that needs."""
    run, image = tmp_path / "run", tmp_path / "app.hex"
    image.write_bytes(hex_file([(0x0800_0000, bytes(100))]))
    runs.create(run, load("stm32f405"), RunSettings())
    script = (
        "import sys\nfrom toolchain.cli.main import main\n"
        f"assert main(['check', {str(image)!r}, '--profile', 'stm32f405']) == 0\n"
        f"assert main(['check', {str(run)!r}]) == 3\n"
        "print('loaded', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    distributions = metadata.packages_distributions()
    loaded = {
        canonicalize_name(name)
        for module in done.stdout.splitlines()[-1].split()[1:]
        # What the interpreter loads at its start, such as an editable install's finder, is not ours.
        for name in distributions.get(module, [])
        if name not in ("setuptools", "spikenas-deploy")
    }
    applying = [wanted for wanted in requirements() if wanted.marker is None or wanted.marker.evaluate()]
    direct = {canonicalize_name(wanted.name) for wanted in applying}
    assert direct <= loaded
    assert loaded <= closure(direct)


def closure(names: set[str]) -> set[str]:
    """``names`` of distributions with all that they need here."""
    found, open_names = set[str](), set(names)
    while open_names:
        name = open_names.pop()
        found.add(name)
        for line in metadata.requires(name) or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                open_names |= {canonicalize_name(wanted.name)} - found
    return found


@pytest.mark.network
def test_the_action_installs_what_is_light_and_holds_the_gate(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    began = time.monotonic()
    done = runner.run(INSTALL)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 120
    python = runner.temporary / "spikenas-check" / "bin" / "python"
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True, timeout=60
    )
    names = {canonicalize_name(entry["name"]) for entry in json.loads(listed.stdout)} - {"pip", "setuptools"}
    assert not names & set(HEAVY)
    assert names == closure({canonicalize_name(wanted.name) for wanted in requirements()} & names)
    # A module in the checkout that is called as one of ours is not taken for it.
    (runner.workspace / "toolchain").mkdir()
    (runner.workspace / "toolchain" / "__init__.py").write_text("raise SystemExit(77)")
    (runner.workspace / "rich.py").write_text("raise SystemExit(78)")
    require_the_gate_to_hold(runner)
    elf = firmware.build(tmp_path)
    done = runner.run(CHECK, artifact=str(elf), profile="stm32f405")
    assert done.returncode == 0 and "firmware.elf" in done.stdout, done.stderr
