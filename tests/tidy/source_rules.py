"""The rules that every source obeys, each a function of a file's path and text.

A rule yields violations as (line, what). `check_tree` applies it to the project; a path is always
relative to the project's root. The layering table is the one of the design: who may include whom.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

SOURCE_SUFFIXES = (".cpp", ".hpp", ".c", ".h")
SCRIPT_SUFFIXES = (".py", ".sh")
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
LAMBDA_LINES_MAX = 10
COLUMNS_MAX = 100

Violation = tuple[int, str]
Rule = Callable[[str, str], Iterator[Violation]]


@dataclass(frozen=True)
class Room:
    """`rooms`: those whose headers it may include. `headers`: single ones of other rooms.
    `libraries`: third-party ones. `only_in`: of these, the files that may include them (stems),
    where not every file of the room may. `banned`: standard or system headers it must not
    include. `libc_only`: nothing of libstdc++ that is not in its headers alone."""

    rooms: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    only_in: tuple[tuple[str, tuple[str, ...]], ...] = ()
    banned: tuple[str, ...] = ()
    libc_only: bool = False
    headers: tuple[str, ...] = ()


SYSCALL_HEADERS = ("unistd.h", "fcntl.h", "poll.h", "sched.h", "spawn.h", "semaphore.h", "sys/*",
                   "linux/*", "netinet/*", "net/*", "arpa/*")
CONCURRENCY_HEADERS = ("thread", "mutex", "shared_mutex", "condition_variable", "future",
                       "stop_token", "latch", "barrier", "semaphore", "pthread.h")
FILE_HEADERS = ("fstream", "iostream", "filesystem", "syncstream", "cstdio", "stdio.h")
CLOCK_AND_CHANCE_HEADERS = ("random", "ctime", "time.h")

CHECK = ("common/check.hpp",)  # itself libc only

ROOMS = {
    "common": Room(rooms=("common",), libraries=("fmt",),
                   banned=CONCURRENCY_HEADERS + ("iostream",)),
    "common/calendar": Room(rooms=("common", "common/calendar"),
                            banned=CONCURRENCY_HEADERS + FILE_HEADERS),
    "common/unit": Room(
        rooms=("common", "common/unit", "common/calendar"),
        libraries=("toml++", "fmt"),
        only_in=(("toml++", ("toml_document", "unit_parser")),),
        banned=SYSCALL_HEADERS + CONCURRENCY_HEADERS + FILE_HEADERS + CLOCK_AND_CHANCE_HEADERS),
    "common/unit_source": Room(
        rooms=("common", "common/unit", "common/unit_source", "common/ipc"),
        libraries=("fmt",), banned=CONCURRENCY_HEADERS),
    "common/region": Room(rooms=("common", "common/region", "common/ipc"), libraries=("fmt",),
                          banned=("iostream",)),
    "common/ipc": Room(rooms=("common/ipc",), headers=CHECK, libc_only=True),
    "common/listen": Room(rooms=("common", "common/unit", "common/ipc", "common/listen"),
                          banned=CONCURRENCY_HEADERS + ("iostream",)),
    "common/output_tail": Room(rooms=("common", "common/ipc", "common/output_tail"),
                               banned=CONCURRENCY_HEADERS + ("iostream",)),
    "daemon/protocol": Room(rooms=("common/ipc", "daemon/protocol"), headers=CHECK, libc_only=True),
    "daemon/keeper": Room(rooms=("common/ipc", "daemon/protocol", "daemon/keeper"), headers=CHECK,
                          libc_only=True),
    "daemon/core": Room(
        rooms=("common", "common/unit", "daemon/core"), libraries=("fmt",),
        banned=SYSCALL_HEADERS + CONCURRENCY_HEADERS + FILE_HEADERS + CLOCK_AND_CHANCE_HEADERS),
    "daemon/manager": Room(
        rooms=("common", "common/calendar", "common/unit", "common/unit_source", "common/region",
               "common/ipc", "common/listen", "common/output_tail", "daemon/core",
               "daemon/protocol", "daemon/manager"),
        libraries=("fmt", "spdlog", "systemd", "CLI", "nlohmann"),
        only_in=(("CLI", ("options",)), ("nlohmann", ("settings_text",))),
        banned=CONCURRENCY_HEADERS + ("iostream",)),
    # Stands between a service and the daemon's output.
    "daemon/tap": Room(rooms=("common", "common/ipc", "common/output_tail", "daemon/tap"),
                       banned=CONCURRENCY_HEADERS + ("iostream",)),
    # The checks of readiness and health that are no commands.
    "daemon/probe": Room(
        rooms=("common", "common/ipc", "daemon/probe"), libraries=("curl",),
        only_in=(("curl", ("http_probe",)),), banned=CONCURRENCY_HEADERS + ("iostream",)),
    "ctl": Room(
        rooms=("common", "common/calendar", "common/unit", "common/unit_source", "common/region",
               "common/ipc", "common/listen", "common/output_tail", "ctl"),
        libraries=("fmt", "CLI", "nlohmann", "systemd"),
        only_in=(("systemd", ("bus_client", "bus_values", "request_main")),),
        banned=("iostream",)),
    # A program of the build that prints a manual page.
    "packaging/man": Room(rooms=("common", "common/unit")),
}

# Headers that need nothing of libstdc++ at run time: what the rooms that are libc only may use of
# C++.
FREESTANDING_HEADERS = (
    "algorithm", "array", "atomic", "bit", "compare", "concepts", "expected", "initializer_list",
    "iterator", "limits", "new", "optional", "span", "string_view", "tuple", "type_traits",
    "utility", "version")

LIBRARIES = {"toml++": "toml++", "systemd": "systemd", "spdlog": "spdlog", "fmt": "fmt",
             "CLI": "CLI", "nlohmann": "nlohmann", "gtest": "gtest", "gmock": "gtest",
             "curl": "curl"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(path: str) -> str | None:
    """The innermost room that holds the path; None outside the table (tests)."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        room = "/".join(parts[:length])
        if room in ROOMS:
            return room
    return None


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def matches(header: str, patterns: tuple[str, ...]) -> bool:
    return any(header == pattern or (pattern.endswith("/*") and header.startswith(pattern[:-1]))
               for pattern in patterns)


def judge_project_include(room: str, header: str) -> str | None:
    target = room_of(header)
    if target is None:
        return f'{room} may not include "{header}", which is in no room'
    if target not in ROOMS[room].rooms and header not in ROOMS[room].headers:
        return f'{room} may not include "{header}" of {target}'
    return None


def judge_library_include(room: str, stem: str, header: str, library: str) -> str | None:
    if library not in ROOMS[room].libraries:
        return f"{room} may not include <{header}>: {library} is not among its libraries"
    files = dict(ROOMS[room].only_in).get(library)
    if files is not None and stem not in files:
        return f"<{header}> is for {' and '.join(files)} of {room} alone"
    return None


def judge_system_include(room: str, header: str) -> str | None:
    table = ROOMS[room]
    if matches(header, table.banned):
        return f"{room} may not include <{header}>"
    is_cpp = not header.endswith(".h")
    is_c_wrapper = is_cpp and header.startswith("c") and header[1:] in C_HEADERS
    if table.libc_only and is_cpp and not is_c_wrapper and header not in FREESTANDING_HEADERS:
        return f"{room} is libc only and may not include <{header}>"
    return None


C_HEADERS = ("assert", "ctype", "errno", "inttypes", "limits", "signal", "stdarg", "stddef",
             "stdint", "stdio", "stdlib", "string", "time")


def layering(path: str, text: str) -> Iterator[Violation]:
    room = room_of(path)
    if room is None or not path.endswith(SOURCE_SUFFIXES):
        return
    stem = Path(path).stem
    for found in INCLUDE.finditer(text):
        quote, header = found.groups()
        library = LIBRARIES.get(header.split("/")[0].split(".")[0])
        if quote == '"' and "/" not in header:
            what = f'"{header}" is not included from the project root'
        elif quote == '"':
            what = judge_project_include(room, header)
        elif library is not None:
            what = judge_library_include(room, stem, header, library)
        else:
            what = judge_system_include(room, header)
        if what is not None:
            yield line_of(text, found.start()), what


CORE_WORDS = re.compile(
    r"\b(\w+_clock::now|clock_gettime|gettimeofday|random_device|getenv|rand|time)\s*\(")


def pure_core(path: str, text: str) -> Iterator[Violation]:
    if not path.startswith("daemon/core/"):
        return
    for found in CORE_WORDS.finditer(without_comments_and_strings(text)):
        yield line_of(text, found.start()), f"an argument in the core: {found.group(1)}"


def blank(found: re.Match) -> str:
    return re.sub(r"[^\n]", " ", found.group(0))


LITERALS = re.compile(
    r'R"(?P<tag>[^\s()\\]{0,16})\((?:.|\n)*?\)(?P=tag)"'  # raw strings
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'")


def without_comments_and_strings(text: str) -> str:
    """The same text, same offsets, with comments and literals made blanks."""
    return LITERALS.sub(blank, text)


def file_length(path: str, text: str) -> Iterator[Violation]:
    if path.endswith(SOURCE_SUFFIXES + SCRIPT_SUFFIXES):
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            yield FILE_LINES_MAX + 1, f"the file has {lines} lines, {FILE_LINES_MAX} are allowed"


def line_length(path: str, text: str) -> Iterator[Violation]:
    if not path.endswith(SOURCE_SUFFIXES + SCRIPT_SUFFIXES):
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, {COLUMNS_MAX} are allowed"


LAMBDA_HEAD = re.compile(
    r"(?<![\w\])])\[[^\[\]]*\]\s*(\((?:[^()]|\([^()]*\))*\))?\s*(mutable|noexcept|constexpr)?\s*"
    r"(->\s*[\w:<>,*&\s]+)?$")
SCOPE_HEAD = re.compile(r'\b(namespace|class|struct|union|enum)\b(?!.*\))|\bextern\s*$', re.DOTALL)


def kind_of_block(head: str, outer: str) -> str:
    """'scope' (namespace, class), 'function', 'lambda' or 'other': what the brace opens."""
    if LAMBDA_HEAD.search(head):
        return "lambda"
    if outer == "scope" and SCOPE_HEAD.search(head):
        return "scope"
    if outer == "scope" and "(" in head and not re.search(r"=\s*$", head):
        return "function"
    return "other"


def blocks(text: str) -> Iterator[tuple[str, int, int]]:
    """(kind, first line, last line) of each brace block, the head of a function included."""
    code = without_comments_and_strings(text)
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", blank, code, flags=re.MULTILINE)
    stack: list[tuple[str, int]] = [("scope", 0)]
    head_start = 0
    for found in re.finditer(r"[{};]", code):
        offset = found.start()
        if found.group() == "{":
            head = code[head_start:offset]
            kind = kind_of_block(head.strip(), stack[-1][0])
            first = offset if kind == "lambda" else head_start + len(head) - len(head.lstrip())
            stack.append((kind, first))
        elif found.group() == "}" and len(stack) > 1:
            kind, first = stack.pop()
            yield kind, line_of(code, first), line_of(code, offset)
        head_start = offset + 1


def block_length(path: str, text: str) -> Iterator[Violation]:
    if not path.endswith(SOURCE_SUFFIXES):
        return
    for kind, first, last in blocks(text):
        length = last - first + 1
        if kind == "function" and length > FUNCTION_LINES_MAX:
            yield first, f"the function has {length} lines, {FUNCTION_LINES_MAX} are allowed"
        if kind == "lambda" and length > LAMBDA_LINES_MAX:
            yield first, f"the lambda has {length} lines, {LAMBDA_LINES_MAX} are allowed"


def header_guard(path: str, text: str) -> Iterator[Violation]:
    if path.endswith(".hpp") and "#pragma once" not in text:
        yield 1, "the header lacks #pragma once"


def file_name(path: str, text: str) -> Iterator[Violation]:
    del text
    name = Path(path).name
    if path.endswith(SOURCE_SUFFIXES) and not re.fullmatch(r"[a-z][a-z0-9_]*\.(cpp|hpp|c|h)", name):
        yield 1, "file names are snake_case"
    if re.search(r"(^|_)(utils?|helpers?|misc)(_|\.)", name):
        yield 1, "a file is named for what it holds"


# Spelled in two halves, so that this file does not violate its own rules.
MARKERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
WAITS = re.compile(r"\b(sleep" + r"_for|sleep" + r"_until|u" + r"sleep|nano" + r"sleep|clock_nano"
                   + r"sleep|time\.sle" + r"ep)\b|(?:^|[;{(]\s*|\s(?=::))(?:::)?sle"
                   + r"ep\s*\(", re.MULTILINE)
SHELL_WAITS = re.compile(r"(^|[;&|]\s*|\s)sle" + r"ep\s+[0-9$]")
SKIPS = re.compile(r"GTEST_" + r"SKIP\(\)\s*;|\bDIS" + r"ABLED_")
MACHINE_PATHS = re.compile(r"/wo" + r"rk/(main|shared|\.)|/var/tm" + r"p/(brief|bugs)")


def markers(path: str, text: str) -> Iterator[Violation]:
    for found in MARKERS.finditer(text):
        yield line_of(text, found.start()), f"{found.group(0)}: finish it, or write an issue"


def waits(path: str, text: str) -> Iterator[Violation]:
    # Services under test may sleep, and a bench measures idle time.
    if path.startswith(("tests/services/", "tests/bench/")):
        return
    if path.endswith(SOURCE_SUFFIXES + (".py",)):
        for found in WAITS.finditer(text):
            yield line_of(text, found.start()), "a wait by the clock: wait for the event"
    if path.endswith(".sh"):
        for number, line in enumerate(text.split("\n"), start=1):
            if SHELL_WAITS.search(line) and not line.lstrip().startswith("#"):
                yield number, "a wait by the clock: wait for the event"


def skips(path: str, text: str) -> Iterator[Violation]:
    if path.endswith(SOURCE_SUFFIXES):
        for found in SKIPS.finditer(text):
            yield line_of(text, found.start()), "a skipped test names the missing tool"


def machine_paths(path: str, text: str) -> Iterator[Violation]:
    for found in MACHINE_PATHS.finditer(text):
        yield line_of(text, found.start()), f"a path of one machine: {found.group(0)}"


def registry_hosts(sources: list[Path]) -> list[str]:
    """The hosts that this machine takes packages from, as its apt is configured."""
    hosts = set()
    for source in sources:
        text = source.read_text(errors="replace")
        for found in re.finditer(r"^(?:URIs:|deb)\s.*?https?://([^/\s]+)", text, re.MULTILINE):
            hosts.add(found.group(1))
    return sorted(hosts)


def apt_sources() -> list[Path]:
    apt = Path("/etc/apt")
    found = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))]
    return [path for path in found if path.is_file()]


def no_registry_hosts(hosts: list[str]) -> Rule:
    def rule(path: str, text: str) -> Iterator[Violation]:
        del path
        for host in hosts:
            for found in re.finditer(re.escape(host), text):
                yield line_of(text, found.start()), f"a registry host is named: {host}"
    return rule


RULES: dict[str, Rule] = {
    "layering": layering,
    "pure_core": pure_core,
    "file_length": file_length,
    "line_length": line_length,
    "block_length": block_length,
    "header_guard": header_guard,
    "file_name": file_name,
    "markers": markers,
    "waits": waits,
    "skips": skips,
    "machine_paths": machine_paths,
    "registry_hosts": no_registry_hosts(registry_hosts(apt_sources())),
}


def is_build_folder(path: str) -> bool:
    return os.path.exists(os.path.join(path, "meson-private"))


def project_files(root: Path) -> list[str]:
    """Every file of the project that is neither hidden nor built, relative to its root."""
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__"))
                            and not is_build_folder(os.path.join(folder, name)))
        files += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)]
    return files


def check_tree(root: Path, rule: Rule) -> list[str]:
    violations = []
    for path in project_files(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a test's data
        violations += [f"{path}:{line}: {what}" for line, what in rule(path, text)]
    return violations
