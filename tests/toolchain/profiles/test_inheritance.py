"""Files that inherit: merging, what may be named, and what a hostile file cannot do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.toolchain.profiles.boards import microcontroller, write
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.profiles.findings import ProfileError
from toolchain.profiles.inheritance import MAX_DEPTH, MAX_PROFILE_BYTES


def profile(folder: Path, text: str, name: str = "mine") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(file)
    return str(caught.value)


def test_a_table_is_merged_key_by_key(tmp_path: Path) -> None:
    mine = load(
        profile(
            tmp_path,
            'inherits = "stm32f405"\n[regions.flash]\nreserved_bytes = 32768\nsource = "our bootloader"\n',
        )
    )
    parent = load("stm32f405")
    assert mine.name == "mine" and mine.inherits == "stm32f405"
    assert mine.region("flash").available_bytes == (1 << 20) - 32768
    assert mine.region("flash").source == "our bootloader"
    assert mine.region("flash").holds == parent.region("flash").holds
    assert mine.regions[1:] == parent.regions[1:]


def test_a_list_replaces_the_inherited_one(tmp_path: Path) -> None:
    mine = load(profile(tmp_path, 'inherits = "stm32f405"\nflash_tools = ["dfu-util"]\n'))
    assert mine.flash_tools == ("dfu-util",)


def test_a_region_can_be_added_and_dropped(tmp_path: Path) -> None:
    text = (
        'inherits = "stm32f405"\nomit_regions = ["ccm"]\n[regions.external]\nkind = "sram"\norigin = 0x60000000\n'
        'size_bytes = 524288\nholds = ["buffers"]\nsource = "our board"\n'
    )
    mine = load(profile(tmp_path, text))
    assert [region.name for region in mine.regions] == ["flash", "sram", "external"]


def test_a_dropped_region_must_exist(tmp_path: Path) -> None:
    message = refusal(profile(tmp_path, 'inherits = "stm32f405"\nomit_regions = ["cmc"]\n'))
    assert "'cmc'" in message and "did you mean ccm" in message


def test_a_file_inherits_from_its_own_folder(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", microcontroller())
    mine = load(profile(tmp_path, 'inherits = "base"\ntitle = "Mine"\n'))
    assert (mine.title, mine.core) == ("Mine", "cortex-m4")


def test_a_file_may_refine_the_shipped_profile_of_its_own_name(tmp_path: Path) -> None:
    text = 'inherits = "stm32f405"\nclock_hz = 84000000\nsource = "our clock tree"\n'
    assert load(profile(tmp_path, text, "stm32f405")).clock_hz == 84_000_000


def test_grandparents_are_inherited(tmp_path: Path) -> None:
    profile(tmp_path, 'inherits = "crazyflie_2_1"\ntitle = "A"\n', "a")
    assert load(profile(tmp_path, 'inherits = "a"\n', "b")).clock_hz == load("stm32f405").clock_hz


def test_a_changed_number_needs_its_own_source(tmp_path: Path) -> None:
    message = refusal(
        profile(
            tmp_path, 'inherits = "stm32f405"\nclock_hz = 8000000\n[regions.sram]\nreserved_bytes = 1024\n'
        )
    )
    assert 'changes clock_hz without a source; add source = "..." above its first table' in message
    assert "[regions.sram] changes reserved_bytes without a source" in message


def test_a_number_repeated_unchanged_needs_no_source(tmp_path: Path) -> None:
    assert load(profile(tmp_path, 'inherits = "stm32f405"\nclock_hz = 168000000\n')).clock_hz == 168_000_000


@pytest.mark.parametrize(
    ("text", "key", "known"),
    [
        ('inherits = "stm32f405"\nclock_hertz = 1\n', "clock_hertz", "clock_hz"),
        ('inherits = "stm32f405"\n[regions.sram]\nsize_byte = 1\n', "size_byte", "size_bytes"),
        ('inherits = "jetson_nano"\n[runtime]\nonnx_opsets = 1\n', "onnx_opsets", "onnx_opset"),
        ('inherits = "stm32f405"\n[region.sram]\nsize_bytes = 1\n', "region", "regions"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known(
    tmp_path: Path, text: str, key: str, known: str
) -> None:
    file = profile(tmp_path, text)
    message = refusal(file)
    assert f"unknown key '{key}'" in message and f"did you mean {known}?" in message and str(file) in message


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("size_bytes = 524288", "[regions.NAME]"),
        ("active_mw = 5", "[power]"),
        ("unicorn_cpu = 'x'", "[emulation]"),
    ],
)
def test_a_key_whose_table_is_a_comment_still_is_told_so(tmp_path: Path, line: str, headers: str) -> None:
    message = refusal(profile(tmp_path, f'inherits = "stm32f405"\n#[some.table]\n{line}\n'))
    assert f"it belongs below {headers}: is there a # before that line still?" in message


def test_an_unknown_key_is_told_of_the_file_that_has_it(tmp_path: Path) -> None:
    parent = profile(tmp_path, 'inherits = "stm32f405"\ntitel = "x"\n', "parent")
    message = refusal(profile(tmp_path, 'inherits = "parent"\n'))
    assert message.startswith(str(parent))


def test_name_is_no_key(tmp_path: Path) -> None:
    assert "unknown key 'name'" in refusal(profile(tmp_path, 'inherits = "stm32f405"\nname = "other"\n'))


def test_an_unknown_parent_names_the_nearest(tmp_path: Path) -> None:
    assert "did you mean stm32f405?" in refusal(profile(tmp_path, 'inherits = "stm32f407"\n'))
    profile(tmp_path, "", "our_base")
    assert "did you mean our_base?" in refusal(profile(tmp_path, 'inherits = "our_bases"\n'))


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\\\\b",
        "stm32f405.toml",
        "x" * 65,
        "~",
        "a\\u0000b",
        "a b",
    ],
)
def test_inherits_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    write(tmp_path / "x.toml", microcontroller())
    inner = tmp_path / "one" / "two"
    inner.mkdir(parents=True)
    assert "inherits is" in refusal(profile(inner, f'inherits = "{name}"\n'))


@pytest.mark.parametrize("value", ["3", '["stm32f405"]', "true", "{}"])
def test_inherits_is_a_text(tmp_path: Path, value: str) -> None:
    assert "inherits is" in refusal(profile(tmp_path, f"inherits = {value}\n"))


def test_a_circle_is_refused(tmp_path: Path) -> None:
    profile(tmp_path, 'inherits = "b"\n', "a")
    profile(tmp_path, 'inherits = "c"\n', "b")
    message = refusal(profile(tmp_path, 'inherits = "a"\n', "c"))
    assert "c -> a -> b -> c inherit in a circle" in message
    assert "circle" in refusal(profile(tmp_path, 'inherits = "self"\n', "self"))


def test_the_chain_is_bounded(tmp_path: Path) -> None:
    write(tmp_path / "p0.toml", microcontroller())
    for step in range(1, MAX_DEPTH + 1):
        profile(tmp_path, f'inherits = "p{step - 1}"\n', f"p{step}")
    assert load(tmp_path / f"p{MAX_DEPTH - 1}.toml").core == "cortex-m4"
    assert "shorten the chain" in refusal(tmp_path / f"p{MAX_DEPTH}.toml")


def test_a_hundred_megabytes_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.toml"
    with file.open("wb") as stream:
        stream.truncate(100_000_000)
    assert f"more than the {MAX_PROFILE_BYTES:,}" in refusal(file)


def test_a_large_parent_is_not_read_either(tmp_path: Path) -> None:
    with (tmp_path / "big.toml").open("wb") as stream:
        stream.truncate(100_000_000)
    assert "big.toml has 100,000,000 bytes" in refusal(profile(tmp_path, 'inherits = "big"\n'))


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe" * 100,
        b"\x7fELF\x02\x01\x01",
        b"title = ",
        b"a = " + b"[" * 5000,
        b"= 3",
        b"{}",
        b"a=1\na=2",
    ],
)
def test_what_is_no_toml_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    message = refusal(file)
    assert message.startswith(f"{file} is not valid TOML")


def test_an_empty_file_tells_what_is_missing(tmp_path: Path) -> None:
    message = refusal(profile(tmp_path, ""))
    assert all(
        f"{key} is missing" in message for key in ("title", "role", "source", "clock_hz", "default_formats")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("regions = 3\n", "regions is no table"),
        ("[[regions]]\n", "regions is no table"),
        ("[regions]\nsram = 3\n", "regions.sram is 3; write a table"),
        ('[regions."a b"]\norigin = 1\n', "region 'a b': use letters"),
        ("linux = []\n", "linux is []; write a table"),
        ("omit_regions = 1\n", "omit_regions is 1; write a list"),
        ("omit_regions = [1]\n", "omit_regions is [1]; write a list"),
        ("clock_hz = 0x" + "f" * 400 + "\n", "clock_hz is beyond 64 bits"),
        ("[regions.sram]\norigin = -9223372036854775809\n", "origin in [regions.sram] is beyond 64 bits"),
        ('"\\u001b[31m" = 1\n', "unknown key '\\x1b[31m'"),
    ],
)
def test_a_misshapen_file_is_told(tmp_path: Path, text: str, expected: str) -> None:
    message = refusal(profile(tmp_path, 'inherits = "stm32f405"\n' + text))
    assert expected in message and "\x1b" not in message


def test_deep_nesting_is_no_crash(tmp_path: Path) -> None:
    text = 'inherits = "stm32f405"\n[regions.sram]\nsource = "s"\nholds' + ".a" * 2000 + " = 1\n"
    assert "regions.sram.holds is nested too deeply" in refusal(profile(tmp_path, text))


def test_values_of_a_wrong_type_are_told_with_the_region(tmp_path: Path) -> None:
    message = refusal(
        profile(
            tmp_path,
            'inherits = "stm32f405"\n[regions.sram]\nsize_bytes = "128K"\nholds = ["data"]\nsource = "s"\n'
            '[regions.ccm]\nkind = "ram"\n',
        )
    )
    assert "regions.sram.size_bytes is '128K'; write a whole number without quotes" in message
    assert "regions.sram.holds[0] is 'data'; use one of 'code', 'weights'" in message
    assert "regions.ccm.kind is 'ram'; use one of 'flash' or 'sram'" in message


def test_the_findings_are_data_too(tmp_path: Path) -> None:
    file = profile(tmp_path, 'inherits = "stm32f405"\nfoo = 1\nbar = 2\n')
    with pytest.raises(ProfileError) as caught:
        load(file)
    assert [finding.rule for finding in caught.value.findings] == ["unknown_key", "unknown_key"]
    assert {finding.file for finding in caught.value.findings} == {str(file)}
    assert str(caught.value).startswith("2 faults:")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_folder_or_link_circle_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "link.toml")
    for name in ("pipe", "folder", "link"):
        assert "does not exist or is not a file" in refusal(tmp_path / f"{name}.toml")


def test_a_file_name_that_is_no_name_is_refused(tmp_path: Path) -> None:
    assert "as in my_board.toml" in refusal(profile(tmp_path, 'inherits = "stm32f405"\n', "my board"))
