"""Counts the test cases of a run of packaging/test.sh and prints the closing lines.

usage: count_results.py RESULTS, a folder with up to three files, a name in each line:
  tested        build folders whose suites were run
  passed-steps  steps that are no tests but count as one (clang-tidy)
  failed-steps  the same, failed: a build that did not come about

meson knows a test program as one test. The single cases stand in what the programs wrote:
GoogleTest's in meson's testlog.junit.xml, pytest's in meson-logs/pytest/<test>.xml. A program
that left no record, because it crashed or ran out of time, counts as one case of its own.
"""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    outcome: str  # "passed", "failed" or "skipped"
    name: str
    reason: str


def judge(case: ElementTree.Element) -> tuple[str, str]:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed", ""
    skipped = case.find("skipped")
    if skipped is not None:
        text = skipped.get("message") or skipped.text or "no reason given"
        return "skipped", " ".join(text.split())
    # GoogleTest, in the form that meson passes on.
    if case.get("result") == "skipped" or case.get("status") == "notrun":
        return "skipped", "no reason given"
    return "passed", ""


def cases_of_xml(path: Path, prefix: str) -> list[Case]:
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError):
        return []
    return [
        Case(outcome, f"{prefix}: {case.get('classname')}.{case.get('name')}", reason)
        for case in tree.iter("testcase")
        for outcome, reason in [judge(case)]
    ]


Suites = dict[str, list[ElementTree.Element]]


def gtest_suites(build: Path) -> Suites:
    """The cases of each GoogleTest program, by meson's name of the test."""
    suites: Suites = {}
    try:
        tree = ElementTree.parse(build / "meson-logs" / "testlog.junit.xml")
    except (OSError, ElementTree.ParseError):
        return suites
    for suite in tree.iter("testsuite"):
        # meson writes "<project>.<test>.<GoogleTest suite>", and "<project>" for all other tests.
        project, _, rest = suite.get("name", "").partition(".")
        test, _, _ = rest.rpartition(".")
        if project and test:
            suites.setdefault(test, []).extend(suite.findall("testcase"))
    return suites


def meson_outcome(result: str) -> str:
    if result in ("OK", "EXPECTEDFAIL"):
        return "passed"
    return "skipped" if result == "SKIP" else "failed"


def cases_of_test(build: Path, test: dict, suites: Suites) -> list[Case]:
    # meson's name is "foster:unit / unit_parser".
    name = test["name"].split(" / ")[-1]
    label = f"{build.name} {test['name'].removeprefix('foster:')}"
    whole = meson_outcome(test["result"])
    cases = cases_of_xml(build / "meson-logs" / "pytest" / f"{name}.xml", label)
    for case in suites.get(test["name"], []):
        outcome, reason = judge(case)
        full_name = f"{label}: {case.get('classname', '')}.{case.get('name')}"
        cases.append(Case(outcome, full_name, reason))
    if not cases or (whole == "failed" and all(case.outcome != "failed" for case in cases)):
        cases.append(Case(whole, label, "no reason given"))
    return cases


def cases_of_build(build: Path) -> list[Case]:
    try:
        lines = (build / "meson-logs" / "testlog.json").read_text().splitlines()
    except OSError:
        return [Case("failed", f"{build.name}: no test was run", "")]
    suites = gtest_suites(build)
    return [case for line in lines for case in cases_of_test(build, json.loads(line), suites)]


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def main() -> int:
    results = Path(sys.argv[1])
    cases = [Case("passed", step, "") for step in lines_of(results / "passed-steps")]
    cases += [Case("failed", step, "") for step in lines_of(results / "failed-steps")]
    for build in lines_of(results / "tested"):
        cases += cases_of_build(Path(build))

    by_outcome = {outcome: [case for case in cases if case.outcome == outcome]
                  for outcome in ("passed", "failed", "skipped")}
    print()
    for case in by_outcome["skipped"]:
        print(f"skipped: {case.name}: {case.reason}")
    for case in by_outcome["failed"]:
        print(f"failed: {case.name}")
    strict = os.environ.get("CI") == "true"
    if strict and by_outcome["skipped"]:
        print("CI=true: a skipped test is a failure")
    print(", ".join(f"{len(found)} {outcome}" for outcome, found in by_outcome.items()))
    bad = by_outcome["failed"] or not cases or (strict and by_outcome["skipped"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
