"""How deep the stack of a linked image can grow, from its code alone: every path through every function it calls.

Each function is walked instruction by instruction, so that a frame counts only where it is open, whoever wrote the
function: a compiler, or we in assembly. The firmware's few calls through a pointer are named here; recursion, any
other such call, and a frame whose size is not in the code are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.errors import InputError
from toolchain.verification.elf import Image
from toolchain.verification.network_symbols import network_name
from toolchain.verification.thumb import Decoder, Step

ENTRY, HANDLER = "spikenas_main", "spikenas_fault"
"""What the reset calls with an empty stack, and what every exception ends in."""

EXCEPTION_BYTES = 36
"""What the core pushes when it takes an exception: eight words, and one that aligns them (Armv8-M ARM, B3.19)."""

ALIGNMENT_BYTES = 8
"""Of the stack, at every call (AAPCS32, 6.2.1.2)."""

POINTERS: dict[str, tuple[str, ...]] = {
    "run_layer": ("snn_add_rows_8", "snn_add_rows_4", "snn_add_rows_2", "snn_codes_4", "snn_codes_2"),
    "snn_self_test": ("{network}_infer",),
}
"""Function -> what it may call through a pointer that it is given; ``network`` is what the image's is called."""


@dataclass(frozen=True)
class StackBound:
    """Bytes of stack that suffice: ``program_bytes`` for the program, and ``bytes`` with an exception on top of it.

    ``path`` are the functions that are open where the program's stack is deepest, ``functions`` all that can run,
    ``floating`` those of them that compute with floating-point numbers.
    """

    program_bytes: int
    bytes: int
    path: tuple[str, ...]
    functions: frozenset[str]
    floating: frozenset[str]


@dataclass(frozen=True)
class _Depth:
    """The deepest stack below a function's first instruction, the functions open there, and whether it returns."""

    bytes: int
    path: tuple[str, ...]
    returns: bool


def stack_bound(image: Image, entry: str = ENTRY) -> StackBound:
    """The bound of ``image``, run from ``entry``.

    Raises ``InputError`` that names function and reason if its code has none.
    """
    walk = _Walk(image)
    program = walk.depth(image.symbol(entry).address)
    handler = walk.depth(image.symbol(HANDLER).address)
    whole = program.bytes + EXCEPTION_BYTES + handler.bytes
    rounded = -(-whole // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    return StackBound(program.bytes, rounded, program.path, walk.functions, frozenset(walk.floating))


class _Walk:
    def __init__(self, image: Image) -> None:
        self._image = image
        self._network = network_name(image)
        self._decoder = Decoder()
        self._functions = {symbol.address: symbol for symbol in image.objects if symbol.function}
        self._known: dict[int, _Depth] = {}
        self._open: list[int] = []
        self.floating: set[str] = set()

    @property
    def functions(self) -> frozenset[str]:
        """Names of all functions that were walked."""
        return frozenset(self._functions[address].name for address in self._known)

    def depth(self, address: int) -> _Depth:
        """Of the function at ``address``."""
        if address in self._known:
            return self._known[address]
        if address not in self._functions:
            raise self._broken(f"calls 0x{address:08x}, where there is no function")
        if address in self._open:
            raise self._broken(f"calls {self._functions[address].name} again, which is recursion")
        self._open.append(address)
        found = self._walk(address)
        self._open.pop()
        self._known[address] = found
        return found

    def _walk(self, start: int) -> _Depth:
        code = self._image.read(start, self._functions[start].size_bytes)
        steps: dict[int, Step] = {}
        pushed: dict[int, int] = {}
        waiting = [(start, 0)]
        deepest, returns = 0, False
        path: tuple[str, ...] = ()
        while waiting:
            address, depth = waiting.pop()
            if address in pushed:
                if pushed[address] != depth:
                    raise self._broken(
                        f"comes to 0x{address:08x} with {pushed[address]} and with {depth} bytes pushed"
                    )
                continue
            pushed[address] = depth
            if not start <= address < start + len(code):
                raise self._broken(f"runs on behind its end, to 0x{address:08x}")
            if address not in steps:
                steps |= {
                    step.address: step for step in self._decoder.steps(code[address - start :], address)
                }
            step = steps[address]
            if step.pushes is None:
                raise self._broken(f"moves the stack by an unknown amount at 0x{address:08x} ({step.text})")
            if step.floating:
                self.floating.add(self._functions[start].name)
            depth += step.pushes
            if depth > deepest:
                deepest, path = depth, ()
            jumps = [*step.targets, *_table(step, code, start)]
            inside = [target for target in jumps if start <= target < start + len(code)]
            # A jump to another function is a call that comes back where this function would.
            called = [self.depth(target) for target in self._called(step)]
            left = [self.depth(target) for target in jumps if target not in inside]
            for callee in (*called, *left):
                if depth + callee.bytes > deepest:
                    deepest, path = depth + callee.bytes, callee.path
            comes_back = not called or any(callee.returns for callee in called)
            waiting += [(target, depth) for target in inside]
            if step.falls and comes_back:
                waiting.append((address + step.size_bytes, depth))
            returns |= step.returns or any(callee.returns for callee in left)
            returns |= bool(called) and comes_back and not step.falls
        return _Depth(deepest, (self._functions[start].name, *path), returns)

    def _called(self, step: Step) -> list[int]:
        """Addresses of the functions that ``step`` may call, other than by a jump."""
        if step.call is not None:
            return [step.call]
        if not step.indirect:
            return []
        patterns = POINTERS.get(_source_name(self._functions[self._open[-1]].name), ())
        names = [pattern.format(network=self._network) for pattern in patterns]
        found = [address for address, other in self._functions.items() if _source_name(other.name) in names]
        # A pointer to functions none of which is linked is null, and never called.
        if not patterns:
            raise self._broken(f"calls through a pointer at 0x{step.address:08x} that could be any function")
        return found

    def _broken(self, what: str) -> InputError:
        function = self._functions[self._open[-1]].name if self._open else "the image"
        return InputError(f"the stack of {self._image.path} has no bound: {function} {what}")


def _source_name(name: str) -> str:
    """A function's name in the source: compilers add what they did, as in ``accumulate.constprop.0``."""
    return name.partition(".")[0]


def _table(step: Step, code: bytes, start: int) -> list[int]:
    """Where the jump table behind ``step`` leads: it ends where its first target begins, or at a byte that fills up."""
    found: list[int] = []
    if step.table:
        base = position = step.address + step.size_bytes
        end = start + len(code)
        while position + step.table <= end:
            entry = int.from_bytes(code[position - start : position - start + step.table], "little")
            if base + 2 * entry <= position:
                break
            found.append(base + 2 * entry)
            end = min(end, found[-1])
            position += step.table
    return found
