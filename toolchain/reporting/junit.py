"""The CI gate as JUnit XML, which CI systems show as tests: a suite an artifact, a case a limit."""

from __future__ import annotations

from xml.etree import ElementTree

from toolchain.escapes import visible
from toolchain.verification.gate import Gate, Result


def junit_xml(gate: Gate) -> bytes:
    """The XML document. XML 1.0 has no form at all for control characters, so those of names become visible."""
    root = ElementTree.Element("testsuites", name="spikenas-deploy check")
    cases = failures = 0
    for result in gate.results:
        suite, failed = _suite(result)
        root.append(suite)
        cases, failures = cases + len(suite), failures + failed
    root.set("tests", str(cases))
    root.set("failures", str(failures))
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(result: Result) -> tuple[ElementTree.Element, int]:
    name = visible(result.entry.name or result.entry.subject.path.as_posix())
    suite = ElementTree.Element("testsuite", name=name)
    failed = 0
    for line, grown in result.paired():
        case = ElementTree.SubElement(
            suite, "testcase", classname=visible(line.artifact), name=visible(line.resource)
        )
        sentence = result.failure_of(line, grown)
        if sentence:
            failed += 1
            kind = "over budget" if line.over else "growth"
            failure = ElementTree.SubElement(case, "failure", message=visible(sentence), type=kind)
            failure.text = visible(sentence)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failed))
    return suite, failed
