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
    best_peer: bool = False  # or what the best of the peers takes


def measures(plan):
    many = plan.many
    return [
        Measure("start_many", f"start of {many}, daemon's exec to last running", "ms", 1.3),
        Measure("start_few", f"start of {plan.few}", "ms", 1.3),
        Measure("kill_one", f"kill -9 of one of {plan.single} to its replacement", "ms", 1.2),
        Measure("kill_all", f"kill -9 of all {many} to all running", "ms", 1.3),
        Measure("status_one", f"status of one of {many}, whole process", "ms", 2.0),
        Measure("status_all", f"status of all {many}, whole process", "ms", 4.0),
        Measure("read_one", "one slot, region mapped", "ns", at_most=100),
        Measure("read_all", f"{many} slots, region mapped", "µs", at_most=100),
        Measure("pss", f"PSS of all its own processes, {many} services", "MB", at_most=4.4),
        Measure("growth", f"PSS for each service more ({plan.few} to {many})", "KB", at_most=2.0),
        Measure("wakeups", f"wake-ups in {plan.idle_s:g} s, {many} idle services", "", at_most=0),
        Measure("orphans", f"{plan.orphans} orphans reaped as PID 1", "ms", best_peer=True),
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


def limit_of(measure, floor, peers):
    """(budget in words, the figure it comes to in this run or None)."""
    if measure.times_floor:
        limit = None if floor is None else measure.times_floor * floor
        return f"≤ {measure.times_floor:g} × floor", limit
    if measure.best_peer:
        return "≤ best peer", min(peers, default=None)
    return f"≤ {figure(measure.at_most, measure.unit)}", measure.at_most


def verdict(measure, floor, foster, peers):
    """(ratio to the floor, budget, met or missed) as text."""
    comparable = measure.at_most is None and floor and foster is not None
    ratio = f"{foster / floor:.2f}" if comparable else "–"
    budget, limit = limit_of(measure, floor, peers)
    if foster is None or limit is None:
        return ratio, budget, "–"
    return ratio, budget, "met" if foster <= limit else "**missed**"


def render(plan, results, names):
    """`names`: the contestants in the order of their columns; floor and foster come first."""
    table = medians(plan, results)
    peers = [name for name in names if name not in ("floor", "foster")]
    head = ["what", "floor", "foster", "× floor", "budget", "verdict", *peers]
    lines = [_row(head), _row(["---"] + ["---:"] * 3 + ["---"] * 2 + ["---:"] * len(peers))]
    for measure in measures(plan):
        row = {name: table.get(name, {}).get(measure.key) for name in ("floor", "foster", *peers)}
        known_peers = [row[name] for name in peers if row[name] is not None]
        shown = {name: figure(value, measure.unit) for name, value in row.items()}
        judged = verdict(measure, row["floor"], row["foster"], known_peers)
        own = [measure.title, shown["floor"], shown["foster"], *judged]
        lines.append(_row(own + [shown[name] for name in peers]))
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(cells) + " |"
