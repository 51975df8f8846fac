"""The results as a markdown table, with foster's budgets (DESIGN, section 12) held against them."""

import dataclasses
import statistics


@dataclasses.dataclass
class Measure:
    key: str
    title: str
    unit: str
    times_floor: float | None = None  # budget as a multiple of the floor in the same run
    at_most: float | None = None  # or as a figure


def measures(plan):
    many = plan.many
    return [
        Measure("start_many", f"start of {many}, exec of the daemon to the last running", "ms", 1.3),
        Measure("start_few", f"start of {plan.few}", "ms", 1.3),
        Measure("kill_one", f"kill -9 of one of {plan.single} to its replacement running", "ms", 1.2),
        Measure("kill_all", f"kill -9 of all {many} to all running", "ms", 1.3),
        Measure("status_one", f"status of one of {many}, whole process", "ms", 2.0),
        Measure("status_all", f"status of all {many}, whole process", "ms", 4.0),
        Measure("read_one", "one slot, region mapped", "ns", at_most=100),
        Measure("read_all", f"{many} slots, region mapped", "µs", at_most=100),
        Measure("pss", f"PSS of all its own processes, {many} services", "MB", at_most=4.4),
        Measure("growth", f"PSS for each service more ({plan.few} to {many})", "KB", at_most=2.0),
        Measure("wakeups", f"wake-ups in {plan.idle_s:g} idle seconds, {many} services", "", at_most=0),
        Measure("stop", f"orderly stop of {many}", "ms", 1.2),
    ]


def medians(plan, results):
    """{contestant: {measure: median}}, in the units of `measures`."""
    table = {}
    for name, samples in results.samples.items():
        row = {key: statistics.median(values) for key, values in samples.items()}
        if "pss" in row and "pss_few" in row and plan.many > plan.few:
            row["growth"] = (row["pss"] - row["pss_few"]) / (plan.many - plan.few)
        if "pss" in row:
            row["pss"] /= 1024
        table[name] = row
    return table


def figure(value, unit):
    if value is None:
        return "–"
    if unit == "":
        return f"{value:g}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def verdict(measure, floor, foster):
    """(ratio to the floor, budget, met or missed) as text."""
    ratio = f"{foster / floor:.2f}" if measure.times_floor and floor and foster is not None else "–"
    if measure.times_floor:
        budget = f"≤ {measure.times_floor:g} × floor"
        limit = None if floor is None else measure.times_floor * floor
    else:
        budget = f"≤ {figure(measure.at_most, measure.unit)}"
        limit = measure.at_most
    if foster is None or limit is None:
        return ratio, budget, "–"
    return ratio, budget, "met" if foster <= limit else "**missed**"


def render(plan, results, names):
    """`names`: the contestants in the order of their columns; floor and foster come first."""
    table = medians(plan, results)
    peers = [name for name in names if name not in ("floor", "foster")]
    head = ["what", "floor", "foster", "× floor", "budget", "", *peers]
    lines = [_row(head), _row(["---"] + ["---:"] * 3 + ["---"] * 2 + ["---:"] * len(peers))]
    for measure in measures(plan):
        floor = table.get("floor", {}).get(measure.key)
        foster = table.get("foster", {}).get(measure.key)
        shown = [figure(table.get(name, {}).get(measure.key), measure.unit) for name in peers]
        own = [figure(floor, measure.unit), figure(foster, measure.unit)]
        lines.append(_row([measure.title, *own, *verdict(measure, floor, foster), *shown]))
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(cells) + " |"
