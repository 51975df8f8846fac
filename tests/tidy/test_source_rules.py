"""The project obeys its rules, and the rules bite."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import source_rules

ROOT = Path(os.environ.get("FOSTER_SOURCE", Path(__file__).resolve().parents[2]))


@pytest.mark.parametrize("name", source_rules.RULES)
def test_the_project_obeys(name):
    violations = source_rules.check_tree(ROOT, source_rules.RULES[name])
    assert not violations, "\n" + "\n".join(violations)


def test_sources_are_formatted():
    tool = shutil.which("clang-format-16")
    if tool is None:
        pytest.skip("clang-format-16 is not installed")
    files = [path for path in source_rules.project_files(ROOT)
             if path.endswith(source_rules.SOURCE_SUFFIXES)]
    done = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_folder_of_sources_is_a_room_or_a_test():
    strays = {os.path.dirname(path) for path in source_rules.project_files(ROOT)
              if path.endswith(source_rules.SOURCE_SUFFIXES) and source_rules.room_of(path) is None
              and not path.startswith(("tests/", "units/examples/"))}
    assert not strays


def found(rule, path, text):
    return [what for _, what in source_rules.RULES[rule](path, text)]


LAYERING_VIOLATIONS = [
    ("daemon/core/job.cpp", "#include <thread>"),
    ("daemon/core/job.cpp", "#include <fstream>"),
    ("daemon/core/job.cpp", "#include <random>"),
    ("daemon/core/job.cpp", "#include <sys/wait.h>"),
    ("daemon/core/job.cpp", '#include "daemon/manager/log.hpp"'),
    ("daemon/core/job.cpp", '#include "common/region/writer.hpp"'),
    ("daemon/core/job.cpp", '#include "job.hpp"'),
    ("daemon/core/job.cpp", '#include "tests/support/world.hpp"'),
    ("daemon/keeper/reaper.cpp", "#include <string>"),
    ("daemon/keeper/reaper.cpp", "#include <vector>"),
    ("daemon/keeper/reaper.cpp", "#include <systemd/sd-daemon.h>"),
    ("daemon/keeper/reaper.cpp", '#include "daemon/core/event.hpp"'),
    ("daemon/keeper/reaper.cpp", '#include "common/result.hpp"'),
    ("daemon/protocol/keeper_protocol.cpp", "#include <iostream>"),
    ("daemon/manager/publisher.cpp", '#include "daemon/keeper/reaper.hpp"'),
    ("daemon/manager/publisher.cpp", '#include "ctl/render.hpp"'),
    ("daemon/manager/publisher.cpp", "#include <toml++/toml.h>"),
    ("common/unit/graph.cpp", "#include <toml++/toml.h>"),
    ("common/unit/graph.cpp", "#include <unistd.h>"),
    ("common/unit/graph.cpp", '#include "daemon/core/event.hpp"'),
    ("common/region/writer.cpp", "#include <systemd/sd-bus.h>"),
    ("ctl/status.cpp", "#include <systemd/sd-bus.h>"),
    ("ctl/status.cpp", '#include "daemon/core/unit_state.hpp"'),
    ("ctl/status.cpp", "#include <spdlog/spdlog.h>"),
]


@pytest.mark.parametrize("path, line", LAYERING_VIOLATIONS)
def test_layering_bites(path, line):
    assert len(found("layering", path, f"#pragma once\n{line}\n")) == 1


@pytest.mark.parametrize("path, line", [
    ("daemon/core/job.cpp", "#include <vector>"),
    ("daemon/core/job.cpp", '#include "common/unit/unit_set.hpp"'),
    ("daemon/keeper/reaper.cpp", "#include <sys/wait.h>"),
    ("daemon/keeper/reaper.cpp", "#include <cstdint>"),
    ("daemon/manager/bus_server.cpp", "#include <systemd/sd-bus.h>"),
    ("common/unit/unit_parser.cpp", "#include <toml++/toml.h>"),
    ("ctl/bus_client.cpp", "#include <systemd/sd-bus.h>"),
    ("tests/unit/core/job_test.cpp", "#include <thread>"),
])
def test_layering_permits(path, line):
    assert not found("layering", path, line + "\n")


def function(lines):
    body = "  work();\n" * (lines - 2)
    return "namespace a {\n\nResult<int> made_up(int a,\n  int b) const {\n" + body[:-10] + "}\n}\n"


def lambda_of(lines):
    return "void f() {\n  sort(a, [&](int x) -> bool {\n" + "    x;\n" * (lines - 2) + "  });\n}\n"


@pytest.mark.parametrize("rule, path, text", [
    ("pure_core", "daemon/core/a.cpp", "auto now = std::chrono::steady_clock::now();"),
    ("pure_core", "daemon/core/a.cpp", "clock_gettime(CLOCK_BOOTTIME, &t);"),
    ("file_length", "ctl/a.cpp", "int a;\n" * 701),
    ("line_length", "ctl/a.cpp", "x" * 101),
    ("block_length", "ctl/a.cpp", function(71)),
    ("block_length", "ctl/a.cpp", lambda_of(11)),
    ("block_length", "ctl/a.hpp", "class A {\n void f() {\n" + "x;\n" * 70 + "}\n};\n"),
    ("header_guard", "ctl/a.hpp", "int a;\n"),
    ("file_name", "ctl/string_utils.cpp", ""),
    ("file_name", "ctl/BusClient.cpp", ""),
    ("markers", "ctl/a.cpp", "// TO" + "DO: later"),
    ("markers", "packaging/a.sh", "# FIX" + "ME"),
    ("waits", "ctl/a.cpp", "std::this_thread::sleep" + "_for(1s);"),
    ("waits", "ctl/a.cpp", "us" + "leep(10);"),
    ("waits", "ctl/a.cpp", "::sle" + "ep(1);"),
    ("waits", "tests/e2e/test_a.py", "time.sle" + "ep(1)"),
    ("waits", "packaging/a.sh", "while ! up; do sle" + "ep 1; done"),
    ("skips", "tests/os/a.cpp", "GTEST_" + "SKIP();"),
    ("skips", "tests/os/a.cpp", "TEST(A, DIS" + "ABLED_b) {}"),
    ("machine_paths", "README.md", "cd /wo" + "rk/main"),
])
def test_a_rule_bites(rule, path, text):
    assert len(found(rule, path, text)) == 1


@pytest.mark.parametrize("rule, path, text", [
    ("pure_core", "daemon/core/a.cpp", "// the time (of the caller)\nInstant now_time;\n"),
    ("block_length", "ctl/a.cpp", function(70)),
    ("block_length", "ctl/a.cpp", lambda_of(10)),
    ("block_length", "ctl/a.cpp", "namespace a {\n" + "int x;\n" * 90 + "}\n"),
    ("block_length", "ctl/a.cpp", "constexpr Row kTable[] = {\n" + "{1, 2},\n" * 90 + "};\n"),
    ("block_length", "ctl/a.cpp", 'const char* text = "{(";\n' + "int x;\n" * 90),
    ("waits", "ctl/a.cpp", "// a service that sleeps\nint asleep = 0;\n"),
    ("skips", "tests/os/a.cpp", 'GTEST_' + 'SKIP() << "strace is not installed";'),
])
def test_a_rule_permits(rule, path, text):
    assert not found(rule, path, text)


def test_registry_hosts_are_read_and_found(tmp_path):
    listed = tmp_path / "one.list"
    listed.write_text("deb [signed-by=/a] http://packages.invalid/debian stable main\n")
    deb822 = tmp_path / "two.sources"
    deb822.write_text("Types: deb\nURIs: https://mirror.invalid/x\n")
    hosts = source_rules.registry_hosts([listed, deb822])
    assert hosts == ["mirror.invalid", "packages.invalid"]
    rule = source_rules.no_registry_hosts(hosts)
    assert list(rule("a.sh", "\ncurl https://mirror.invalid/x\n"))[0][0] == 2
    assert not list(rule("a.sh", "curl localhost\n"))
