"""Draws docs/masks.svg, masks of two partitions and what is made of them: ``python docs/draw_masks.py``."""

from pathlib import Path

import numpy as np

import dilt

PLACE = Path(__file__).with_name("masks.svg")
# One small layer of 6 x 9 weights; # is live.
ANIMALS = """
#.#..##..
.##.#...#
#..#..#.#
.#..##...
##...#.#.
..#.#..#.
"""
VEHICLES = """
#..#.##..
.#..#.#.#
..##..#..
.##.#...#
#....#.##
..#..#.#.
"""
CELL, GAP = 15, 2
BOTH, OF_ANIMALS, OF_VEHICLES, PRUNED = "#1a1a1a", "#0072b2", "#e69f00", "#e4e4e4"
WIDTH, HEIGHT = 760, 352
STYLE = "font-family: sans-serif; font-size: 14px; fill: #1a1a1a; text-anchor: middle"


def draw() -> str:
    """The picture, on a ground of its own, so that it can be read on a dark page too."""
    animals, vehicles = (mask_of(drawing) for drawing in (ANIMALS, VEHICLES))
    parts = [
        panel(56, 70, "mask of animals", "a network trained on animals", animals, animals, vehicles),
        panel(56, 236, "mask of vehicles", "one trained on vehicles", vehicles, animals, vehicles),
        panel(330, 70, "core", "kept by both", animals & vehicles, animals, vehicles),
        panel(560, 70, "union", "kept by any", animals | vehicles, animals, vehicles),
        panel(330, 236, "specialist of animals", "kept by animals alone", animals - vehicles, animals, vehicles),
        panel(560, 236, "specialist of vehicles", "kept by vehicles alone", vehicles - animals, animals, vehicles),
        f'<path d="M 246 {HEIGHT // 2} h 62 m -10 -7 l 10 7 l -10 7" fill="none" stroke="{BOTH}" stroke-width="2"/>',
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" style="{STYLE}">'
    )
    words = "<title>Masks of two partitions, and the core, specialists and union that are made of them</title>"
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff" stroke="#c8c8c8"/>'
    return "\n".join([head, words, ground, *parts, "</svg>", ""])


def panel(left: int, top: int, name: str, words: str, mask: dilt.Mask, animals: dilt.Mask, vehicles: dilt.Mask) -> str:
    """A mask's weights as squares, with its name and density above; colours tell which partitions kept a weight."""
    live, of_animals, of_vehicles = (found["layer"] for found in (mask, animals, vehicles))
    colours = np.where(of_animals & of_vehicles, BOTH, np.where(of_animals, OF_ANIMALS, OF_VEHICLES))
    middle = left + live.shape[1] * (CELL + GAP) // 2
    lines = [
        f'<text x="{middle}" y="{top - 26}" style="font-weight: bold">{name}</text>',
        f'<text x="{middle}" y="{top - 9}" style="font-size: 12px">{words}: {mask.density:.0%} of all</text>',
    ]
    for (row, column), is_live in np.ndenumerate(live):
        x, y = left + column * (CELL + GAP), top + row * (CELL + GAP)
        colour = colours[row, column] if is_live else PRUNED
        lines.append(f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2" fill="{colour}"/>')
    return "\n".join(lines)


def mask_of(drawing: str) -> dilt.Mask:
    """The mask of a drawing."""
    return dilt.Mask({"layer": np.array([[weight == "#" for weight in row] for row in drawing.split()])})


if __name__ == "__main__":
    PLACE.write_text(draw())
