"""The arithmetic between the samples and the verdicts."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import rounds, table  # noqa: E402


def cells(text, title):
    line = next(line for line in text.splitlines() if line.startswith(f"| {title}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def rendered(samples, names=("floor", "foster", "runit", "s6")):
    results = rounds.Results()
    for name, measure, values in samples:
        for value in values:
            results.add(name, measure, value)
    return table.render(rounds.Plan(), results, names)


class Table(unittest.TestCase):
    def test_a_multiple_of_the_floor_is_judged_by_medians(self):
        met = rendered([("floor", "stop", [10, 20, 99]), ("foster", "stop", [23, 24, 99])])
        self.assertEqual(
            cells(met, "orderly stop")[1:6],
            ["20.0 ms", "24.0 ms", "1.20", "≤ 1.2 × floor", "met"],
        )
        missed = rendered([("floor", "stop", [20]), ("foster", "stop", [24.1])])
        self.assertEqual(cells(missed, "orderly stop")[5], "**missed**")

    def test_a_figure_is_judged_without_the_floor(self):
        text = rendered([("floor", "wakeups", [0]), ("foster", "wakeups", [1])])
        self.assertEqual(cells(text, "wake-ups")[1:6], ["0", "1", "–", "≤ 0", "**missed**"])

    def test_the_best_peer_is_the_limit(self):
        times = {"foster": 150, "runit": 160, "s6": 140}
        text = rendered([(name, "orphans", [time]) for name, time in times.items()])
        self.assertEqual(cells(text, "10000 orphans")[4:6], ["≤ best peer", "**missed**"])

    def test_growth_is_per_service_between_the_two_sizes(self):
        text = rendered([("foster", "pss", [4096]), ("foster", "pss_few", [2296])])
        self.assertEqual(cells(text, "PSS for each")[2], "2.00 KB")
        self.assertEqual(cells(text, "PSS of all")[2], "4.00 MB")

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        self.assertEqual(cells(rendered([("floor", "stop", [1])]), "orderly stop")[5], "–")


if __name__ == "__main__":
    unittest.main()
