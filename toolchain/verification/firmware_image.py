"""What a linked image says before it runs: of which network it is, and whether it is as large as predicted."""

from __future__ import annotations

from toolchain.cost.code_size import COPYING_BYTES, DEFAULT_COMPILER, Compiler, code_bytes, measured_version
from toolchain.cost.layout import Layout
from toolchain.errors import ToolMissingError
from toolchain.graph.graph import Graph
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import image_lines
from toolchain.verification.elf import Image
from toolchain.verification.footprint_proof import Proof, findings, proofs
from toolchain.verification.network_symbols import network_name
from toolchain.verification.stack_bound import StackBound, stack_bound


def prove_image(bench: Bench, image: Image, name: str, plan: Layout) -> tuple[Proof, ...]:
    """Hold ``image`` against ``plan`` and the budget, record what does not keep to them, and return the figures."""
    built_with = _maker(bench, image, name)
    for finding in findings(image, plan, bench.profile):
        bench.fail("plan", f"{name} is not as planned: {finding}")
    code = code_bytes(bench.graph, str(bench.profile.core), built_with, bench.schedule)
    code += COPYING_BYTES * (plan.copies is not None)
    proven = tuple(proofs(image, plan, bench.profile, code))
    for proof in proven:
        if not proof.exact and not proof.holds:
            _off_estimate(bench, name, proof, built_with)
    bench.hold(image_lines(image, name, bench.profile, bench.limits))
    return proven


def prove_stack(bench: Bench, image: Image, name: str) -> StackBound | None:
    """Hold the most stack that the code of ``image`` can need against what is reserved; None if it has no bound."""
    bound = None
    with bench.recording():
        bound = stack_bound(image)
        reserved = image.symbol("_stack_top").address - image.symbol("_stack_limit").address
        if bound.bytes > reserved:
            bench.fail(
                "plan",
                f"{name} may need {bound.bytes} bytes of stack (in {' > '.join(bound.path)}), and {reserved} are "
                "reserved; raise interrupt_stack_bytes in the profile and export again",
            )
    return bound


def maker(image: Image, graph: Graph) -> Compiler | None:
    """The compiler that the image says it was built with; None if it is an image of another network than ``graph``."""
    info = image.symbols.get(f"{network_name(image)}_info")
    content = image.read(info.address, info.size_bytes) if info else b""
    start = content.find(bytes.fromhex(graph.sha256()))
    if start < 0:
        return None
    # In front of the hash, in eight bytes; see snn_info in the exporter's snn.h.
    return "gcc" if content[max(start - 8, 0) : start].rstrip(b"\0") == b"gcc" else DEFAULT_COMPILER


def _maker(bench: Bench, image: Image, name: str) -> Compiler:
    """The compiler of the image; records if it is an image of another network."""
    found = maker(image, bench.graph)
    if found is None:
        bench.fail(
            "broken", f"{name} was built from another network than this run's model.json; export it again"
        )
    return found or DEFAULT_COMPILER


def _off_estimate(bench: Bench, name: str, proof: Proof, built_with: Compiler) -> None:
    """A whole image that is not as large as predicted: a fault, unless the compiler is not the one measured."""
    from exporters.c import compilers

    try:
        installed = compilers.version(built_with)
    except ToolMissingError:
        installed = "none"
    if installed == measured_version(built_with):
        bench.fail("plan", f"{name} is not as planned: {proof.sentence}")
    else:
        bench.notes.append(
            f"{name}: {proof.sentence}; sizes of code were measured with {built_with} {measured_version(built_with)}, "
            f"and {installed} is installed"
        )
