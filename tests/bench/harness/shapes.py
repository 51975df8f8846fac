"""Graphs of units whose cost per unit shall not depend on how many they are."""

import os

from harness.contestants import Foster, service_ids

LAYER_WIDTH = 100
LAYER_EDGES = 3


def chain(names):
    """Each requires the one before it."""
    return {name: [before] for before, name in zip(names, names[1:])}


def fan(names):
    """All but the first require the first."""
    return {name: [names[0]] for name in names[1:]}


def funnel(names):
    """The last requires all others."""
    return {names[-1]: names[:-1]}


def layers(names):
    """Rows of a hundred units, each unit requiring three of the row above."""
    edges = {}
    for place, name in enumerate(names[LAYER_WIDTH:], LAYER_WIDTH):
        row, column = divmod(place, LAYER_WIDTH)
        above = (row - 1) * LAYER_WIDTH
        edges[name] = [names[above + (column + step * 7) % LAYER_WIDTH]
                       for step in range(LAYER_EDGES)]
    return edges


SHAPES = {"chain": chain, "fan": fan, "funnel": funnel, "layers": layers}


class ShapedFoster(Foster):
    """foster with units that depend on each other."""

    def __init__(self, tools, shape):
        super().__init__(tools)
        self._shape = shape

    def prepare(self, directory, count, service):
        self._directory = directory
        self._instance = f"scaling-{os.getpid()}"
        self.units = f"{directory}/units"
        os.mkdir(self.units)
        names = service_ids(count)
        edges = SHAPES[self._shape](names)
        for name in names:
            needs = ", ".join(f'"{other}"' for other in edges.get(name, []))
            with open(f"{self.units}/{name}.toml", "w", encoding="utf-8") as file:
                file.write(f'[service]\ncommand = ["{service}", "{directory}/journal", "{name}"]\n')
                if needs:
                    file.write(f"[depends]\nrequires = [{needs}]\n")

    def check(self):
        return [self.program("fosterctl"), "check", self.units]
