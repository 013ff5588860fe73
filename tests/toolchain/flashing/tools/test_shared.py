"""What every tool that runs a program must do, with a fake program on PATH that keeps what it is told to write."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.verified import verified_run
from tests.toolchain.flashing.conftest import Fake, FlightOf, RunOf
from toolchain.cli.main import main
from toolchain.flashing.tools.catalog import TOOLS
from toolchain.profiles import load
from toolchain.profiles.rules.board import FLASH_TOOLS
from toolchain.runs import RunFolder

KEEP = """
import os, shutil
kept = {kept!r}
def keep(path): shutil.copy(path, kept)
def back(path):
    content = bytearray(open(kept, 'rb').read())
    if os.environ.get('FAULT') == 'differs': content[9] ^= 1
    open(path, 'wb').write(content)
if os.environ.get('FAULT') == 'fails': print('no probe was found'); sys.exit(1)
"""


@dataclass(frozen=True)
class Case:
    """A tool on a board: ``body`` of the fake program, ``options`` of ``flash``, ``commands`` it must be called with.

    In these, ``{run}`` is the run's folder, ``{size}`` the image's size and ``{file}`` the flight firmware.
    ``differing`` is the exit code if the board holds something else.
    """

    tool: str
    board: str
    body: str
    commands: tuple[str, ...]
    options: str = ""
    differing: int = 5


CASES = (
    Case(
        "pyocd",
        "stm32f405",
        "if words[0] == 'load': keep(words[-1])\nif words[0] == 'commander': back(words[-1].split()[-1])",
        (
            "load --no-wait --target stm32f405rgtx --base-address 0x08000000 --format bin {run}/artifacts/firmware.bin",
            "commander --no-wait --target stm32f405rgtx --command 'savemem 0x08000000 {size} {run}/flash/readback.bin'",
            "reset --no-wait --target stm32f405rgtx",
        ),
    ),
    Case(
        "openocd",
        "nrf52840",
        "lines = [w.split() for w in words]\n"
        "keep(next(w for w in lines if w[:2] == ['flash', 'write_image'])[3])\n"
        "back(next(w for w in lines if w[0] == 'dump_image')[1])",
        (
            "--file interface/jlink.cfg --file target/nrf52.cfg --command init --command 'reset halt' "
            "--command 'flash write_image erase {run}/artifacts/firmware.bin 0x00000000 bin' "
            "--command 'verify_image {run}/artifacts/firmware.bin 0x00000000 bin' "
            "--command 'dump_image {run}/flash/readback.bin 0x00000000 {size}' "
            "--command 'reset run' --command shutdown",
        ),
        "--interface jlink",
    ),
    Case(
        "dfu-util",
        "stm32f405",
        "keep(words[-1]) if '--download' in words else back(words[-1])",
        (
            "--device 0483:df11 --alt 0 --dfuse-address 0x08000000 --download {run}/artifacts/firmware.bin",
            "--device 0483:df11 --alt 0 --dfuse-address 0x08000000:{size} --upload {run}/flash/readback.bin",
            "--device 0483:df11 --alt 0 --dfuse-address 0x08000000:4:leave --upload {run}/flash/left.bin",
        ),
    ),
    Case(
        "dfu-util",
        "openmv_cam_h7",
        "keep(words[-1]) if '--download' in words else back(words[-1])",
        (
            "--wait --device ,37c5:9204 --alt 2 --download {file}",
            "--wait --device ,37c5:9204 --alt 2 --reset --upload {run}/flash/readback.bin",
        ),
        "--firmware {file} --elf {elf}",
    ),
    Case(
        "stm32loader",
        "stm32f405",
        "keep(words[-1])\nprint('Verification', 'FAILED' if os.environ.get('FAULT') else 'OK')",
        (
            "--port /dev/ttyUSB0 --family F4 --erase --write --verify --no-progress --address 0x08000000 "
            "--go-address 0x08000000 {run}/artifacts/firmware.bin",
        ),
        "--port /dev/ttyUSB0",
        3,
    ),
    Case(
        "gdb",
        "stm32f405",
        "keep(words[-1])\nprint('Transfer rate: 1 KB/sec')\n"
        "found = 'MIS-MATCHED!' if os.environ.get('FAULT') else 'matched.'\n"
        "print('Section .text, range 0x8000000 -- 0x8000100:', found)",
        (
            "-nx -batch -ex 'set confirm off' -ex 'set tcp auto-retry off' -ex 'set remotetimeout 10' "
            "-ex 'target extended-remote localhost:3333' -ex load -ex compare-sections -ex detach "
            "{run}/artifacts/firmware.elf",
        ),
        "--port localhost:3333",
    ),
    Case(
        "picotool",
        "rp2040",
        "keep(words[-3])\nif os.environ.get('FAULT'): print('verify failed'); sys.exit(1)",
        ("load --verify --execute {run}/flash/firmware.uf2 -t uf2",),
        "",
        3,
    ),
    Case(
        "cfloader",
        "crazyflie_2_1",
        "keep(words[-2])\nprint('Flashing 1 of 1 to stm32 (fw): 9 bytes')\n"
        "if os.environ.get('FAULT'): print('Failed to flash: lost the link')",
        ("-w radio://0/80/2M/E7E7E7E7E7 flash {file} stm32-fw",),
        "--port radio://0/80/2M/E7E7E7E7E7 --firmware {file} --elf {elf}",
        3,
    ),
)


@pytest.fixture(params=CASES, ids=lambda case: f"{case.tool}-{case.board}")
def case(request: pytest.FixtureRequest) -> Case:
    """Each tool."""
    found: Case = request.param
    return found


class Bench:
    """One tool, its fake, and a run for its board."""

    def __init__(self, case: Case, run_of: RunOf, flight_of: FlightOf, fake: Fake, folder: Path) -> None:
        self.case, self.run, self.kept = case, run_of(case.board), folder / "kept"
        file, elf = flight_of(case.board) if "{file}" in case.options else ("", "")
        options = [word.format(file=file, elf=elf) for word in case.options.split()]
        self.arguments = ["flash", str(self.run.path), "--tool", case.tool, *options]
        self.name = TOOLS[case.tool].programs[0]
        self.install = lambda: fake(self.name, KEEP.format(kept=str(self.kept)) + case.body)
        self.expected = [
            shlex.split(line.format(run=self.run.path, file=file, size=_size(self.run)))
            for line in case.commands
        ]


@pytest.fixture
def bench(
    case: Case,
    run_of: RunOf,
    flight_of: FlightOf,
    fake: Fake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    # A tool that is installed beside our Python must not take part.
    monkeypatch.setattr("toolchain.flashing.tools.base.sys.executable", "/nowhere/python")
    found = Bench(case, run_of, flight_of, fake, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return found


def test_the_exact_commands_write_the_image(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    record = bench.install()
    assert main([*bench.arguments, "--json"]) == 0
    assert [json.loads(line) for line in record.read_text().splitlines()] == bench.expected
    document = json.loads(capsys.readouterr().out)
    commands = [step["command"] for step in document["steps"] if "command" in step]
    assert [words[1:] for words in commands] == bench.expected
    (written,) = document["written"]
    assert document["tool"] == bench.case.tool and document["verified"] and len(written["sha256"]) == 64
    assert written["size_bytes"] > 1000 and written["where"].split(" at 0x")[0] in ("flash", "memory")
    assert not (bench.run.path / "flash").exists()


def test_a_dry_run_prints_the_commands_and_runs_none(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    record = bench.install()
    assert main([*bench.arguments, "--dry-run"]) == 0
    printed = [
        shlex.split(line)[1:] for line in capsys.readouterr().out.splitlines() if f"/{bench.name} " in line
    ]
    assert printed == bench.expected and not record.exists() and not (bench.run.path / "flash").exists()


def test_a_missing_program_is_named_with_how_to_get_it(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(bench.arguments) == 6
    err = capsys.readouterr().err
    assert f"{bench.name} is not installed" in err and TOOLS[bench.case.tool].install in err


def test_a_program_that_fails_is_told_with_its_last_words(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.install()
    monkeypatch.setenv("FAULT", "fails")
    assert main(bench.arguments) == 3
    assert "failed with exit code 1: no probe was found" in capsys.readouterr().err


def test_a_board_that_holds_something_else_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.install()
    monkeypatch.setenv("FAULT", "differs")
    assert main(bench.arguments) == bench.case.differing


def test_what_a_program_is_given_is_the_verified_image(bench: Bench) -> None:
    bench.install()
    assert main(bench.arguments) == 0
    image = (bench.run.artifacts / "firmware.bin").read_bytes()
    if bench.case.tool == "gdb":
        assert bench.kept.read_bytes() == (bench.run.artifacts / "firmware.elf").read_bytes()
    elif "{file}" in bench.case.options:
        assert bytes.fromhex(_graph(bench.run)) in bench.kept.read_bytes()
    elif bench.case.tool == "picotool":
        blocks = [
            bench.kept.read_bytes()[at + 32 : at + 288] for at in range(0, bench.kept.stat().st_size, 512)
        ]
        assert b"".join(blocks)[256 : 256 + len(image)] == image
    else:
        assert bench.kept.read_bytes() == image


def test_the_suite_and_the_rules_know_every_tool() -> None:
    ours = {"uf2", "px_uploader", "esptool"}
    assert {case.tool for case in CASES} | ours == set(TOOLS)
    assert set(TOOLS) | {"ssh"} == set(FLASH_TOOLS)
    assert all(tool.install for tool in TOOLS.values() if tool.programs)


@pytest.mark.parametrize("port", ["--erase", "-x", "/dev/tty USB", "a;b", "x\ny", ""])
@pytest.mark.parametrize("tool", ["stm32loader", "gdb"])
def test_a_port_that_a_program_could_misread_is_refused(
    run_of: RunOf, fake: Fake, tool: str, port: str
) -> None:
    record = fake(TOOLS[tool].programs[0])
    assert main(["flash", str(run_of("stm32f405").path), "--tool", tool, f"--port={port}"]) == 3
    assert not record.exists()


def test_the_first_installed_tool_that_can_reach_the_board_is_taken(
    run_of: RunOf,
    fake: Fake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("toolchain.flashing.tools.base.sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    run = run_of("stm32f405")

    def chosen(*more: str) -> str:
        assert main(["flash", str(run.path), "--dry-run", "--json", *more]) == 0
        return str(json.loads(capsys.readouterr().out)["tool"])

    assert main(["flash", str(run.path), "--dry-run"]) == 6
    err = capsys.readouterr().err
    assert all(f"{name}: " in err for name in run.profile().flash_tools)
    fake("stm32loader")
    assert main(["flash", str(run.path), "--dry-run"]) == 3 and "needs --port" in capsys.readouterr().err
    assert chosen("--port", "/dev/ttyUSB0") == "stm32loader"
    fake("dfu-util")
    assert chosen() == "dfu-util"
    fake("openocd")
    fake("pyocd")
    assert chosen() == "pyocd" and chosen("--tool", "openocd") == "openocd"
    # What the user says of the board tells which tool is meant.
    assert chosen("--port", "/dev/ttyUSB0") == "stm32loader" and chosen("--interface", "jlink") == "openocd"
    assert main(["flash", str(run.path), "--tool", "pyocd", "--port", "/dev/ttyUSB0"]) == 3
    assert "--port means nothing to pyocd" in capsys.readouterr().err
    assert main(["flash", str(run.path), "--drive", "/media"]) == 3


def test_a_tool_that_erases_everything_does_not_touch_a_board_that_keeps_something(
    fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = load("stm32f405")
    regions = tuple(
        r.model_copy(update={"reserved_bytes": 0x8000}) if r.name == "flash" else r for r in base.regions
    )
    run = verified_run(tmp_path / "run", base.model_copy(update={"regions": regions}))
    record = fake("stm32loader")
    for named in ((), ("--tool", "stm32loader")):
        assert main(["flash", str(run.path), "--port", "/dev/ttyUSB0", *named]) == 3
        assert "erases the whole flash, and stm32f405 reserves some of it" in capsys.readouterr().err
    assert not record.exists()


def test_a_run_whose_name_looks_like_an_option_is_given_by_its_whole_path(
    run_of: RunOf, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of("stm32f405").path.rename(tmp_path / "-erase")
    monkeypatch.chdir(tmp_path)
    record = fake(
        "dfu-util",
        "import shutil\nif '--upload' in words: shutil.copy('-erase/artifacts/firmware.bin', words[-1])",
    )
    assert main(["flash", "--tool", "dfu-util", "--", "-erase"]) == 0
    words = [word for line in record.read_text().splitlines() for word in json.loads(line)]
    assert not [word for word in words if word.startswith("-erase")] and str(tmp_path / "-erase") in " ".join(
        words
    )


def test_a_path_that_a_tool_could_misread_is_refused(run_of: RunOf, fake: Fake, tmp_path: Path) -> None:
    odd = run_of("stm32f405").path.rename(tmp_path / "a [exit] b")
    for tool in ("openocd", "pyocd"):
        record = fake(tool)
        assert main(["flash", str(odd), "--tool", tool]) == 3 and not record.exists()


def test_an_unknown_tool_is_refused(run_of: RunOf, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash", str(run_of("stm32f405").path), "--tool", "hammer"]) == 3
    assert "there are pyocd, openocd, gdb" in capsys.readouterr().err


def _size(run: RunFolder) -> int:
    return (run.artifacts / "firmware.bin").stat().st_size


def _graph(run: RunFolder) -> str:
    return str(json.loads(run.report.read_text())["graph_sha256"])
