"""Draws `maestro-icons.ttf`: the status shapes, a few icons and the drawing of the empty window.

Run it only when a shape changes (`pip install fonttools`, then `python3 build.py`), and commit the font
with it. Shapes are glyphs because the renderer draws text in one pass, in any colour, at any size and
scale, on the GPU and in software alike. Every glyph sits in a square of 1000 units.
"""

from math import cos, pi, sin

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

UNITS = 1000
STROKE = 104


def circle(x, y, radius, hole=False, steps=64):
    """Clockwise is filled, counter-clockwise cuts a hole."""
    turn = 1 if hole else -1
    return [
        (x + radius * cos(turn * 2 * pi * i / steps), y + radius * sin(turn * 2 * pi * i / steps))
        for i in range(steps)
    ]


def ring(x, y, radius, stroke=STROKE):
    return [circle(x, y, radius + stroke / 2), circle(x, y, radius - stroke / 2, hole=True)]


def arc(x, y, radius, start, sweep, stroke=STROKE, caps=True):
    """A part of a ring; angles in degrees, clockwise from the top."""
    steps = max(4, int(abs(sweep) / 5))
    angles = [pi / 2 - (start + sweep * i / steps) * pi / 180 for i in range(steps + 1)]
    outer = [(x + (radius + stroke / 2) * cos(a), y + (radius + stroke / 2) * sin(a)) for a in angles]
    inner = [(x + (radius - stroke / 2) * cos(a), y + (radius - stroke / 2) * sin(a)) for a in angles]
    shapes = [outer + inner[::-1]]
    if caps:
        for a in (angles[0], angles[-1]):
            shapes.append(circle(x + radius * cos(a), y + radius * sin(a), stroke / 2, steps=24))
    return shapes


def line(points, stroke=STROKE):
    """A polyline with round joints and ends."""
    shapes = [circle(x, y, stroke / 2, steps=24) for x, y in points]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        dx, dy = (y1 - y0) / length * stroke / 2, -(x1 - x0) / length * stroke / 2
        shapes.append([(x0 - dx, y0 - dy), (x1 - dx, y1 - dy), (x1 + dx, y1 + dy), (x0 + dx, y0 + dy)])
    return shapes


def rounded(x0, y0, x1, y1, radius, hole=False):
    points = []
    for cx, cy, first in [
        (x1 - radius, y1 - radius, 90),
        (x1 - radius, y0 + radius, 0),
        (x0 + radius, y0 + radius, -90),
        (x0 + radius, y1 - radius, -180),
    ]:
        for i in range(9):
            a = (first - i * 90 / 8) * pi / 180
            points.append((cx + radius * cos(a), cy + radius * sin(a)))
    return points[::-1] if hole else points


def frame(x0, y0, x1, y1, radius, stroke):
    return [
        rounded(x0, y0, x1, y1, radius),
        rounded(x0 + stroke, y0 + stroke, x1 - stroke, y1 - stroke, max(1, radius - stroke), hole=True),
    ]


def cut_cross(x, y, reach, stroke):
    """A cross as one hole."""
    h, r = stroke / 2 * 2**0.5, reach
    return [
        (x, y + h), (x + r, y + r + h), (x + r + h, y + r), (x + h, y), (x + r + h, y - r), (x + r, y - r - h),
        (x, y - h), (x - r, y - r - h), (x - r - h, y - r), (x - h, y), (x - r - h, y + r), (x - r, y + r + h),
    ][::-1]


def diamond(x, y, radius):
    return [(x, y + radius), (x + radius, y), (x, y - radius), (x - radius, y)]


def panes():
    """Four panes with lines of work in them: what an empty window is waiting for."""
    shapes, s = [], 11
    for x0, y0 in [(20, 520), (515, 520), (20, 60), (515, 60)]:
        shapes += frame(x0, y0, x0 + 465, y0 + 420, 34, s)
        shapes += line([(x0 + 6, y0 + 345), (x0 + 459, y0 + 345)], s)
        shapes += line([(x0 + 92, y0 + 382), (x0 + 190, y0 + 382)], s)
    for x0, y0, lengths in [
        (20, 520, [210, 150]), (515, 520, [170, 260, 120]), (20, 60, [260, 190, 230, 90]), (515, 60, [140]),
    ]:
        for row, length in enumerate(lengths):
            y = y0 + 285 - row * 62
            shapes += line([(x0 + 50, y), (x0 + 50 + length, y)], s)
    return shapes


def baton():
    """What lies over the panes in the accent colour: a prompt, a diamond, a check, an arc."""
    s = 15
    shapes = line([(70, 672), (108, 645), (70, 618)], s) + line([(140, 612), (186, 612)], s)
    shapes += [diamond(560, 902, 25)]
    shapes += arc(65, 442, 18, 0, 250, 11)
    shapes += line([(543, 442), (557, 428), (581, 456)], 12)
    shapes += ring(65, 902, 18, 10)
    return shapes


ICONS = {
    "ring": ring(500, 500, 330),
    "diamond": [diamond(500, 500, 430)],
    "clock": ring(500, 500, 350) + line([(500, 690), (500, 490), (640, 430)], 92),
    "failed": [rounded(110, 110, 890, 890, 150), cut_cross(500, 500, 165, 104)],
    "check": line([(150, 500), (400, 250), (860, 760)], 128),
    "dashed_ring": [s for i in range(8) for s in arc(500, 500, 340, i * 45 + 11, 23, 100, caps=False)],
    "resume": ring(500, 500, 350, 92) + [[(410, 690), (715, 500), (410, 310)]],
    "dot": [circle(500, 500, 330)],
    "plus": line([(500, 170), (500, 830)], 90) + line([(170, 500), (830, 500)], 90),
    "cross": line([(220, 220), (780, 780)], 90) + line([(220, 780), (780, 220)], 90),
    "search": ring(430, 570, 290, 90) + line([(650, 350), (870, 130)], 90),
    "chevron": line([(380, 780), (660, 500), (380, 220)], 96),
    "maximise": line([(560, 820), (820, 820), (820, 560)], 90) + line([(440, 180), (180, 180), (180, 440)], 90)
    + line([(820, 820), (580, 580)], 90) + line([(180, 180), (420, 420)], 90),
    "warning": line([(500, 860), (900, 150), (100, 150), (500, 860)], 90) + line([(500, 600), (500, 400)], 96)
    + [circle(500, 265, 58)],
    "shell": line([(170, 790), (480, 500), (170, 210)], 104) + line([(540, 200), (860, 200)], 104),
    "track": ring(500, 500, 340, 110),
    "panes": panes(),
    "baton": baton(),
}
ARC_STEPS = 12
for step in range(ARC_STEPS):
    ICONS[f"arc{step}"] = arc(500, 500, 340, step * 360 / ARC_STEPS, 110, 110)
ICONS["bell"] = line([(200, 270), (270, 360), (270, 520)], 90) + line([(800, 270), (730, 360), (730, 520)], 90) + arc(
    500, 520, 230, -90, 180, 90
) + line([(200, 270), (800, 270)], 90) + [circle(500, 150, 75), circle(500, 830, 60)]


def glyph(shapes):
    pen = TTGlyphPen(None)
    for shape in shapes:
        pen.moveTo(tuple(round(v) for v in shape[0]))
        for point in shape[1:]:
            pen.lineTo(tuple(round(v) for v in point))
        pen.closePath()
    return pen.glyph()


names = [".notdef", "space"] + list(ICONS)
font = FontBuilder(UNITS, isTTF=True)
font.setupGlyphOrder(names)
font.setupCharacterMap({0x20: "space"} | {0xE000 + i: name for i, name in enumerate(ICONS)})
font.setupGlyf({".notdef": glyph([]), "space": glyph([])} | {n: glyph(s) for n, s in ICONS.items()})
table = font.font["glyf"]
font.setupHorizontalMetrics({name: (UNITS, getattr(table[name], "xMin", 0)) for name in names})
font.setupHorizontalHeader(ascent=UNITS, descent=0)
font.setupNameTable({"familyName": "Maestro Icons", "styleName": "Regular", "psName": "MaestroIcons"})
font.setupOS2(sTypoAscender=UNITS, sTypoDescender=0, sTypoLineGap=0, usWinAscent=UNITS, usWinDescent=0)
font.setupPost()
# Without a fixed time the same shapes would give another file each time.
font.updateHead(created=3_800_000_000, modified=3_800_000_000)
font.save("maestro-icons.ttf")
for i, name in enumerate(ICONS):
    print(f"{name}: U+{0xE000 + i:04X}")
