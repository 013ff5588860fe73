"""What a Thumb instruction does to the stack and where the core goes from it, decoded by capstone.

Only what the stack's depth depends on is kept. What changes the stack pointer by an amount that the instruction does
not say is ``unknown``. Capstone 5 knows the instructions of Armv8.0-M; of what Armv8.1-M added (a Cortex-M55) the
loops are decoded here (Armv8-M Architecture Reference Manual, C2.4: LE, WLS, DLS), and of its vector loads and
stores whether they move the stack pointer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolchain.errors import ToolMissingError

_CALLS = {"bl", "blx"}
_RETURNS = {"bx", "pop", "ldr", "ldm", "ldmia", "mov"}
_CONDITIONAL = {"cbz", "cbnz"}
_FLOATING = re.compile(r"\.f(16|32|64)")
_IMMEDIATE = re.compile(r"#(-?)(0x[0-9a-f]+|\d+)")


@dataclass(frozen=True)
class Step:
    """One instruction: ``pushes`` bytes (negative: pops them; None: unknown), then goes on.

    ``targets`` are addresses that it may jump to, ``call`` the one that it calls; ``indirect``: it calls what a
    register says; ``falls``: the next instruction may follow; ``returns``: it may end the function; ``table``: bytes of
    an entry of the jump table behind it.
    """

    address: int
    size_bytes: int
    text: str
    pushes: int | None = 0
    targets: tuple[int, ...] = ()
    call: int | None = None
    indirect: bool = False
    falls: bool = True
    returns: bool = False
    table: int = 0

    @property
    def floating(self) -> bool:
        """Whether it computes with floating-point numbers."""
        return bool(_FLOATING.search(self.text.split(" ")[0]))


class Decoder:
    """Decodes Thumb code; raises ``ToolMissingError`` if capstone is not installed."""

    def __init__(self) -> None:
        try:
            import capstone
        except ImportError:
            raise ToolMissingError(
                "reading firmware's code needs the Python package capstone; install it with "
                "`pip install 'spikenas-deploy[mcu]'`"
            ) from None
        self._arm = capstone.arm
        modes = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        self._decoder = capstone.Cs(capstone.CS_ARCH_ARM, modes)
        self._decoder.detail = True

    def steps(self, code: bytes, address: int) -> Iterator[Step]:
        """The instruction at the start of ``code``, and if it makes others conditional (IT), those too."""
        count = 1
        found = next(self._decoder.disasm(code, address, 1), None)
        if found is None:
            yield _undecoded(code, address)
            return
        if re.fullmatch("it[te]*", found.mnemonic):
            count += len(found.mnemonic) - 1
        for instruction in self._decoder.disasm(code, address, count):
            yield self._step(instruction)

    def _step(self, found: Any) -> Step:
        name = found.mnemonic.split(".")[0]
        always = found.cc in (self._arm.ARM_CC_AL, self._arm.ARM_CC_INVALID)
        if not always and not name.startswith("it"):
            name = name[:-2]
        text = f"{found.mnemonic} {found.op_str}".strip()
        step: dict[str, Any] = {"address": found.address, "size_bytes": found.size, "text": text}
        written = {found.reg_name(register) for register in found.regs_access()[1]}
        last = found.operands[-1] if found.operands else None
        to = (last.imm,) if last is not None and last.type == self._arm.ARM_OP_IMM else ()
        if name in _CALLS:
            return Step(**step, call=to[0] if to else None, indirect=not to)
        if name == "b":
            return Step(**step, targets=to, falls=not always)
        if name in _CONDITIONAL:
            return Step(**step, targets=to)
        if name in ("tbb", "tbh"):
            return Step(**step, falls=False, table=1 if name == "tbb" else 2)
        pushes = _pushes(name, found.op_str, written)
        if "pc" in written:
            # A return takes its address from lr or from the stack; all else goes where a register says.
            returns = name in _RETURNS and (found.op_str in ("lr", "pc, lr") or (pushes or 0) < 0)
            moved = 0 if returns else pushes
            return Step(**step, pushes=moved, indirect=not returns, falls=not always, returns=returns)
        if pushes != 0 and not always:
            pushes = None
        return Step(**step, pushes=pushes)


def _pushes(name: str, operands: str, written: set[str]) -> int | None:
    """Bytes by which the stack grows."""
    listed = operands.partition("{")[2].rstrip("}")
    if name in ("push", "pop", "vpush", "vpop"):
        # Doubles unless they are named s0 to s31.
        width = 8 if listed.startswith("d") else 4
        return width * len(listed.split(",")) * (1 if "push" in name else -1)
    if name in ("stmdb", "ldm", "ldmia") and operands.startswith("sp!"):
        return 4 * len(listed.split(",")) * (1 if name == "stmdb" else -1)
    if "sp" not in written and "sp!" not in operands and not re.search(r"\[sp\], ", operands):
        return 0
    amount = _IMMEDIATE.search(operands)
    if amount is None:
        return None
    size = int(amount[2], 0) * (-1 if amount[1] else 1)
    if name in ("sub", "subw", "add", "addw") and re.match(r"sp, (sp, )?#", operands):
        return size if name.startswith("sub") else -size
    if name.startswith(("str", "ldr")) and re.search(r"\[sp(, #.*\]!|\], #)", operands):
        return -size
    return None


def _undecoded(code: bytes, address: int) -> Step:
    first, second = (int.from_bytes(code[index : index + 2], "little") for index in (0, 2))
    size = 4 if first >> 11 in (0b11101, 0b11110, 0b11111) else 2
    text = code[:size].hex()
    distance = (second & 0x7FE) << 1 | (second >> 11 & 1) << 1
    if first & 0xFFCF == 0xF00F and second & 0xF001 == 0xC001:
        return Step(address, size, f"le {text}", targets=(address + 4 - distance,))
    if first & 0xFFF0 == 0xF040 and second & 0xF001 == 0xC001:
        return Step(address, size, f"wls {text}", targets=(address + 4 + distance,))
    if first & 0xFFF0 == 0xF040 and second == 0xE001:
        return Step(address, size, f"dls {text}")
    # Vector loads and stores with write-back (bit 5) of the stack pointer (register 13), and what is no instruction.
    vector = size == 4 and first >> 12 in (0b1110, 0b1111) and first >> 10 & 0b11 == 0b11
    moves_stack = first & 0xFE00 == 0xEC00 and first & 0x2F == 0x2D
    return Step(address, size, text, pushes=0 if vector and not moves_stack else None)
