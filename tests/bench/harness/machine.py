"""What a figure was measured on: without that it says nothing."""

import json
import os
import platform
import subprocess


def _first_value(path, key, separator):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(separator)
                if name.strip() == key:
                    return value.strip().strip('"')
    except OSError:
        pass
    return "unknown"


def describe():
    processor = _first_value("/proc/cpuinfo", "model name", ":")
    memory_kib = _first_value("/proc/meminfo", "MemTotal", ":").split()[0]
    system = _first_value("/etc/os-release", "PRETTY_NAME", "=")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({processor}), {int(memory_kib) / 2**20:.0f} GiB, "
        f"{system}, {platform.system()} {platform.release()}, {platform.machine()}"
    )


def load_warning():
    """A sentence to put under the table when others were computing as well, else nothing."""
    load = os.getloadavg()[0]
    if load < 0.5:
        return ""
    return f"The machine was not quiet: load average {load:.1f} before the first round."


def build_type(build):
    try:
        with open(f"{build}/meson-info/intro-buildoptions.json", encoding="utf-8") as file:
            options = {option["name"]: option["value"] for option in json.load(file)}
    except OSError:
        return "unknown build type"
    sanitizers = options.get("b_sanitize", "none")
    if sanitizers in ("none", []):
        return options["buildtype"]
    return f"{options['buildtype']} with sanitizers: {sanitizers}"


def package_version(package):
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "of unknown version"
    return done.stdout or "not a package"
