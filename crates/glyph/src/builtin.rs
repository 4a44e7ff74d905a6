//! Glyphs drawn at the exact size of a cell: box drawing, blocks, braille, sextants, octants, powerline.
//!
//! Interfaces in a terminal are made of these. A font's versions leave seams between cells or overlap,
//! because a font does not know how its cell was rounded. These meet at every size.

use crate::metrics::Metrics;
use crate::raster::Raster;

/// The glyph of a character, or `None` for one that fonts draw.
pub(crate) fn draw(c: char, metrics: &Metrics) -> Option<Raster> {
    let mut canvas = Canvas::new(metrics);
    match c as u32 {
        0x2504..=0x250b | 0x254c..=0x254f => canvas.dashes(c as u32),
        code @ 0x256d..=0x2570 => canvas.arc(code - 0x256d),
        code @ 0x2571..=0x2573 => canvas.diagonals(code != 0x2572, code != 0x2571),
        code @ 0x2500..=0x257f => canvas.lines(LINES[(code - 0x2500) as usize]),
        code @ 0x2580..=0x259f => canvas.block(code),
        code @ 0x2800..=0x28ff => canvas.braille((code & 0xff) as u8),
        code @ 0x1fb00..=0x1fb3b => canvas.sextant(code - 0x1fb00),
        code @ 0x1fb70..=0x1fb8b => canvas.eighths(code),
        code @ 0x1cd00..=0x1cde5 => canvas.octant(OCTANTS[(code - 0x1cd00) as usize]),
        0x1cea8 => canvas.octant(1),
        0x1ceab => canvas.octant(1 << 1),
        0x1cea3 => canvas.octant(1 << 6),
        0x1cea0 => canvas.octant(1 << 7),
        0x1fbe6 => canvas.octant(0b0001_0100),
        0x1fbe7 => canvas.octant(0b0010_1000),
        code @ 0xe0b0..=0xe0b3 => canvas.powerline(code),
        code @ 0xe0b4..=0xe0b7 => canvas.half_disc(code),
        code @ 0xe0b8..=0xe0bf => canvas.slope(code),
        _ => return None,
    }
    Some(canvas.finish())
}

/// Signs of a recorder, which agents use for their states, and the angle before what a tool answered, for
/// typefaces that lack them. The system's only font that has the former is usually the one of coloured pictures,
/// and a picture has no colour of its text; the latter (U+23BF) is in hardly any font.
pub(crate) fn symbol(c: char, metrics: &Metrics) -> Option<Raster> {
    let mut canvas = Canvas::new(metrics);
    match c as u32 {
        code @ 0x23f4..=0x23fa => canvas.recorder(code, metrics),
        0x23bf => canvas.angle(metrics),
        _ => return None,
    }
    Some(canvas.finish())
}

/// A box where no font has a glyph.
pub(crate) fn missing(metrics: &Metrics, columns: u32) -> Raster {
    let mut canvas = Canvas::wide(metrics, columns);
    let (w, h, t) = (canvas.width, canvas.height, canvas.stroke);
    let inset = (w / 8).max(1);
    let (left, right) = (inset, (w - inset).max(inset + 1));
    let (top, bottom) = (h / 5, (h - h / 5).max(h / 5 + 1));
    canvas.fill(left, top, right, top + t, 255);
    canvas.fill(left, bottom - t, right, bottom, 255);
    canvas.fill(left, top, left + t, bottom, 255);
    canvas.fill(right - t, top, right, bottom, 255);
    canvas.finish()
}

/// One mask of a cell for each way to draw a line along text, in the order of [`Line`].
pub(crate) fn line(line: Line, metrics: &Metrics) -> Raster {
    let mut canvas = Canvas::new(metrics);
    canvas.line(line, metrics);
    canvas.finish()
}

/// A line along the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Line {
    Single,
    Double,
    Curl,
    Dotted,
    Dashed,
    Strike,
}

impl Line {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Single, Self::Double, Self::Curl, Self::Dotted, Self::Dashed, Self::Strike];
}

const NONE: u8 = 0;
const LIGHT: u8 = 1;
const HEAVY: u8 = 2;
const DOUBLE: u8 = 3;

/// The arms of U+2500 to U+257F: up, right, down, left; each 0 none, 1 light, 2 heavy, 3 double.
/// Dashes, arcs and diagonals hold nothing; they are drawn otherwise.
#[rustfmt::skip]
const LINES: [[u8; 4]; 128] = arms([
    b"0101", b"0202", b"1010", b"2020", b"0000", b"0000", b"0000", b"0000",
    b"0000", b"0000", b"0000", b"0000", b"0110", b"0210", b"0120", b"0220",
    b"0011", b"0012", b"0021", b"0022", b"1100", b"1200", b"2100", b"2200",
    b"1001", b"1002", b"2001", b"2002", b"1110", b"1210", b"2110", b"1120",
    b"2120", b"2210", b"1220", b"2220", b"1011", b"1012", b"2011", b"1021",
    b"2021", b"2012", b"1022", b"2022", b"0111", b"0112", b"0211", b"0212",
    b"0121", b"0122", b"0221", b"0222", b"1101", b"1102", b"1201", b"1202",
    b"2101", b"2102", b"2201", b"2202", b"1111", b"1112", b"1211", b"1212",
    b"2111", b"1121", b"2121", b"2112", b"2211", b"1122", b"1221", b"2212",
    b"1222", b"2122", b"2221", b"2222", b"0000", b"0000", b"0000", b"0000",
    b"0303", b"3030", b"0310", b"0130", b"0330", b"0013", b"0031", b"0033",
    b"1300", b"3100", b"3300", b"1003", b"3001", b"3003", b"1310", b"3130",
    b"3330", b"1013", b"3031", b"3033", b"0313", b"0131", b"0333", b"1303",
    b"3101", b"3303", b"1313", b"3131", b"3333", b"0000", b"0000", b"0000",
    b"0000", b"0000", b"0000", b"0000", b"0001", b"1000", b"0100", b"0010",
    b"0002", b"2000", b"0200", b"0020", b"0201", b"1020", b"0102", b"2010",
]);

const fn arms(rows: [&[u8; 4]; 128]) -> [[u8; 4]; 128] {
    let mut table = [[0; 4]; 128];
    let mut index = 0;
    while index < 128 {
        let mut arm = 0;
        while arm < 4 {
            table[index][arm] = rows[index][arm] - b'0';
            arm += 1;
        }
        index += 1;
    }
    table
}

/// The patterns of U+1CD00 to U+1CDE5, two columns of four, bits row by row: all of them in their order,
/// except those that were encoded before (Unicode 16, block *Symbols for Legacy Computing Supplement*).
const OCTANTS: [u8; 230] = {
    // Blank and full; halves; quadrants, one, two and three of them; quarters; three quarters; corners of
    // one octant; the middles of both sides.
    const ELSEWHERE: [u8; 26] = [
        0, 255, 15, 240, 85, 170, 5, 10, 80, 160, 165, 90, 95, 175, 245, 250, 3, 192, 63, 252, 1,
        2, 64, 128, 20, 40,
    ];
    let mut table = [0; 230];
    let (mut pattern, mut filled) = (0, 0);
    while pattern < 256 {
        let mut known = false;
        let mut place = 0;
        while place < ELSEWHERE.len() {
            known = known || ELSEWHERE[place] as usize == pattern;
            place += 1;
        }
        if !known {
            table[filled] = pattern as u8;
            filled += 1;
        }
        pattern += 1;
    }
    table
};

/// A mask being drawn, in pixels from the top left.
struct Canvas {
    width: i32,
    height: i32,
    stroke: i32,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(metrics: &Metrics) -> Self {
        Self::wide(metrics, 1)
    }

    fn wide(metrics: &Metrics, columns: u32) -> Self {
        let (width, height) = ((metrics.width * columns) as i32, metrics.height as i32);
        Self {
            width,
            height,
            stroke: metrics.stroke as i32,
            pixels: vec![0; (width * height) as usize],
        }
    }

    fn finish(self) -> Raster {
        Raster {
            color: false,
            left: 0,
            top: 0,
            width: self.width as u32,
            height: self.height as u32,
            pixels: self.pixels,
        }
    }

    fn fill(&mut self, left: i32, top: i32, right: i32, bottom: i32, ink: u8) {
        for y in top.max(0)..bottom.min(self.height) {
            for x in left.max(0)..right.min(self.width) {
                self.pixels[(y * self.width + x) as usize] = ink;
            }
        }
    }

    /// Inks every pixel by what a function says of its middle, where that is more than there is.
    fn shade(&mut self, coverage: impl Fn(f32, f32) -> f32) {
        for y in 0..self.height {
            for x in 0..self.width {
                let ink = coverage(x as f32 + 0.5, y as f32 + 0.5).clamp(0.0, 1.0);
                let pixel = &mut self.pixels[(y * self.width + x) as usize];
                *pixel = (*pixel).max((ink * 255.0).round() as u8);
            }
        }
    }

    /// How thick an arm is.
    fn thickness(&self, arm: u8) -> i32 {
        self.stroke
            * match arm {
                LIGHT => 1,
                HEAVY => 2,
                DOUBLE => 3,
                _ => 0,
            }
    }

    fn lines(&mut self, [up, right, down, left]: [u8; 4]) {
        self.double_arms([up, right, down, left]);
        let (w, h) = (self.width, self.height);
        if matches!(up, LIGHT | HEAVY) {
            let x = band(w, self.thickness(up));
            let end = self.near_end(h, (left, right), down);
            self.fill(x.0, 0, x.1, end.1, 255);
        }
        if matches!(down, LIGHT | HEAVY) {
            let x = band(w, self.thickness(down));
            let end = self.near_end(h, (left, right), up);
            self.fill(x.0, end.0, x.1, h, 255);
        }
        if matches!(left, LIGHT | HEAVY) {
            let y = band(h, self.thickness(left));
            let end = self.near_end(w, (up, down), right);
            self.fill(0, y.0, end.1, y.1, 255);
        }
        if matches!(right, LIGHT | HEAVY) {
            let y = band(h, self.thickness(right));
            let end = self.near_end(w, (up, down), left);
            self.fill(end.0, y.0, w, y.1, 255);
        }
    }

    /// Where a light or heavy arm ends near the middle, for an arm that comes from the far side and for
    /// one from the near side, given the arms it meets and the one opposite.
    fn near_end(&self, length: i32, across: (u8, u8), opposite: u8) -> (i32, i32) {
        let t = self.stroke;
        let double = band(length, 3 * t);
        match across {
            (DOUBLE, DOUBLE) if opposite == NONE => (double.1 - t, double.0 + t),
            (DOUBLE, DOUBLE) => band(length, t),
            (DOUBLE, _) | (_, DOUBLE) => double,
            (NONE, NONE) => band(length, t),
            (one, other) => band(length, self.thickness(one).max(self.thickness(other))),
        }
    }

    /// A double line is a line three strokes wide with its middle taken out. Drawing all arms and then
    /// taking out all middles makes corners and crossings right by themselves.
    fn double_arms(&mut self, arms: [u8; 4]) {
        let [up, right, down, left] = arms;
        if !arms.contains(&DOUBLE) {
            return;
        }
        let (w, h, t) = (self.width, self.height, self.stroke);
        for inner in [false, true] {
            let (thick, ink) = if inner { (t, 0) } else { (3 * t, 255) };
            let meets = |length: i32, one: u8, other: u8| {
                if one == DOUBLE || other == DOUBLE {
                    band(length, thick)
                } else {
                    band(length, t * i32::from(one.max(other)).max(1))
                }
            };
            let (x, y) = (band(w, thick), band(h, thick));
            let (end_x, end_y) = (meets(w, up, down), meets(h, left, right));
            if up == DOUBLE {
                self.fill(x.0, 0, x.1, end_y.1, ink);
            }
            if down == DOUBLE {
                self.fill(x.0, end_y.0, x.1, h, ink);
            }
            if left == DOUBLE {
                self.fill(0, y.0, end_x.1, y.1, ink);
            }
            if right == DOUBLE {
                self.fill(end_x.0, y.0, w, y.1, ink);
            }
        }
    }

    fn dashes(&mut self, code: u32) {
        let (count, place) = match code {
            0x2504..=0x2507 => (3, code - 0x2504),
            0x2508..=0x250b => (4, code - 0x2508),
            _ => (2, code - 0x254c),
        };
        let heavy = place % 2 == 1;
        let vertical = place >= 2;
        let thick = self.stroke * if heavy { 2 } else { 1 };
        let (length, across) =
            if vertical { (self.height, self.width) } else { (self.width, self.height) };
        let (near, far) = band(across, thick);
        for dash in 0..count {
            // Half a gap at either end, so that the rhythm goes on across cells.
            let start = length * dash / count;
            let end = length * (dash + 1) / count;
            let gap = ((end - start) / 3).max(1);
            let (start, end) = (start + gap / 2, end - (gap - gap / 2));
            if vertical {
                self.fill(near, start, far, end, 255);
            } else {
                self.fill(start, near, end, far, 255);
            }
        }
    }

    /// Rounded corners: 0 down and right, 1 down and left, 2 up and left, 3 up and right.
    fn arc(&mut self, corner: u32) {
        let (w, h, t) = (self.width, self.height, self.stroke);
        let (x, y) = (band(w, t), band(h, t));
        let half = t as f32 / 2.0;
        let (cx, cy) = (x.0 as f32 + half, y.0 as f32 + half);
        let right = corner == 0 || corner == 3;
        let down = corner < 2;
        // The largest circle that is straight again where the cell ends.
        let room_x = if right { w as f32 - cx } else { cx };
        let room_y = if down { h as f32 - cy } else { cy };
        let radius = room_x.min(room_y).floor().max(1.0);
        let (ox, oy) = (
            if right { cx + radius } else { cx - radius },
            if down { cy + radius } else { cy - radius },
        );
        self.shade(|px, py| {
            let bends_x = if right { px < ox } else { px > ox };
            let bends_y = if down { py < oy } else { py > oy };
            if !bends_x || !bends_y {
                return 0.0;
            }
            half + 0.5 - ((px - ox).hypot(py - oy) - radius).abs()
        });
        let (from_x, from_y) = (
            if right { ox.floor() } else { ox.ceil() } as i32,
            if down { oy.floor() } else { oy.ceil() } as i32,
        );
        if right {
            self.fill(from_x, y.0, w, y.1, 255);
        } else {
            self.fill(0, y.0, from_x, y.1, 255);
        }
        if down {
            self.fill(x.0, from_y, x.1, h, 255);
        } else {
            self.fill(x.0, 0, x.1, from_y, 255);
        }
    }

    fn diagonals(&mut self, rising: bool, falling: bool) {
        let (w, h) = (self.width as f32, self.height as f32);
        let half = self.stroke as f32 / 2.0;
        let length = w.hypot(h);
        self.shade(|x, y| {
            let near = |distance: f32| half + 0.5 - distance.abs();
            let rise = if rising { near((h * x + w * y - w * h) / length) } else { 0.0 };
            let fall = if falling { near((h * x - w * y) / length) } else { 0.0 };
            rise.max(fall)
        });
    }

    fn block(&mut self, code: u32) {
        let (w, h) = (self.width, self.height);
        let (mid_x, mid_y) = (w - eighth(w, 4), h - eighth(h, 4));
        // Upper left, upper right, lower left, lower right.
        let quadrants = match code {
            0x2580 => [true, true, false, false],
            0x2581..=0x2588 => {
                let from = h - eighth(h, (code - 0x2580) as i32);
                return self.fill(0, from, w, h, 255);
            }
            0x2589..=0x258f => {
                let to = if code == 0x258c { mid_x } else { eighth(w, (0x2590 - code) as i32) };
                return self.fill(0, 0, to, h, 255);
            }
            0x2590 => [false, true, false, true],
            0x2591..=0x2593 => {
                let ink = [64, 128, 191][(code - 0x2591) as usize];
                return self.fill(0, 0, w, h, ink);
            }
            0x2594 => return self.fill(0, 0, w, eighth(h, 1), 255),
            0x2595 => return self.fill(w - eighth(w, 1), 0, w, h, 255),
            0x2596 => [false, false, true, false],
            0x2597 => [false, false, false, true],
            0x2598 => [true, false, false, false],
            0x2599 => [true, false, true, true],
            0x259a => [true, false, false, true],
            0x259b => [true, true, true, false],
            0x259c => [true, true, false, true],
            0x259d => [false, true, false, false],
            0x259e => [false, true, true, false],
            _ => [false, true, true, true],
        };
        for (index, filled) in quadrants.into_iter().enumerate() {
            if filled {
                let (left, right) = if index % 2 == 0 { (0, mid_x) } else { (mid_x, w) };
                let (top, bottom) = if index < 2 { (0, mid_y) } else { (mid_y, h) };
                self.fill(left, top, right, bottom, 255);
            }
        }
    }

    fn braille(&mut self, dots: u8) {
        // Bits in the order of Unicode: three of the left column, three of the right, then the lowest.
        const PLACES: [(i32, i32); 8] =
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
        let (w, h) = (self.width, self.height);
        let dot = (w / 4).min(h / 8).max(1);
        for (bit, (col, row)) in PLACES.into_iter().enumerate() {
            if dots & 1 << bit != 0 {
                let x = ((2 * col + 1) * w - 2 * dot + 2) / 4;
                let y = ((2 * row + 1) * h - 4 * dot + 4) / 8;
                self.fill(x, y, x + dot, y + dot, 255);
            }
        }
    }

    fn sextant(&mut self, index: u32) {
        // The patterns skip nothing, left half, right half and everything, which exist elsewhere.
        let pattern = index + 1 + u32::from(index >= 20) + u32::from(index >= 40);
        let (w, h) = (self.width, self.height);
        let mid = w - eighth(w, 4);
        let row = |n: i32| (n * h + 1) / 3;
        for bit in 0..6 {
            if pattern & 1 << bit != 0 {
                let (left, right) = if bit % 2 == 0 { (0, mid) } else { (mid, w) };
                self.fill(left, row(bit / 2), right, row(bit / 2 + 1), 255);
            }
        }
    }

    /// Two columns of four.
    fn octant(&mut self, pattern: u8) {
        let (w, h) = (self.width, self.height);
        let mid = w - eighth(w, 4);
        // The same quarters as the blocks have: those are counted from the bottom.
        let row = |n: i32| if n == 0 { 0 } else { h - ((4 - n) * h + 2) / 4 };
        for bit in 0..8 {
            if pattern & 1 << bit != 0 {
                let (left, right) = if bit % 2 == 0 { (0, mid) } else { (mid, w) };
                self.fill(left, row(bit / 2), right, row(bit / 2 + 1), 255);
            }
        }
    }

    /// Bars of an eighth inside the cell, along its edges, and blocks that grow from above and from the
    /// right.
    fn eighths(&mut self, code: u32) {
        let (w, h) = (self.width, self.height);
        let (thin_x, thin_y) = (eighth(w, 1), eighth(h, 1));
        let right_from = |count: u32| w - eighth(w, count as i32);
        match code {
            0x1fb70..=0x1fb75 => {
                let left = (code - 0x1fb6f) as i32 * w / 8;
                self.fill(left, 0, left + thin_x, h, 255);
            }
            0x1fb76..=0x1fb7b => {
                let top = (code - 0x1fb75) as i32 * h / 8;
                self.fill(0, top, w, top + thin_y, 255);
            }
            0x1fb7c..=0x1fb7f => {
                if matches!(code, 0x1fb7c | 0x1fb7d) {
                    self.fill(0, 0, thin_x, h, 255);
                } else {
                    self.fill(w - thin_x, 0, w, h, 255);
                }
                if matches!(code, 0x1fb7c | 0x1fb7f) {
                    self.fill(0, h - thin_y, w, h, 255);
                } else {
                    self.fill(0, 0, w, thin_y, 255);
                }
            }
            0x1fb80 => {
                self.fill(0, 0, w, thin_y, 255);
                self.fill(0, h - thin_y, w, h, 255);
            }
            0x1fb81 => {
                for place in [0, 2, 4] {
                    self.fill(0, place * h / 8, w, place * h / 8 + thin_y, 255);
                }
                self.fill(0, h - thin_y, w, h, 255);
            }
            0x1fb82..=0x1fb86 => {
                let count = [2, 3, 5, 6, 7][(code - 0x1fb82) as usize];
                self.fill(0, 0, w, h - eighth(h, 8 - count), 255);
            }
            _ => {
                let count = [2, 3, 5, 6, 7][(code - 0x1fb87) as usize];
                self.fill(right_from(count), 0, w, h, 255);
            }
        }
    }

    /// Half discs between coloured segments: filled and outlined, to the right and to the left.
    fn half_disc(&mut self, code: u32) {
        let (w, h) = (self.width as f32, self.height as f32);
        let half = self.stroke as f32 / 2.0;
        let mirrored = code >= 0xe0b6;
        let filled = code.is_multiple_of(2);
        self.shade(|x, y| {
            let x = if mirrored { w - x } else { x };
            // An ellipse as wide as the cell; its distance is that of the circle it would be, at the scale
            // of the steeper side.
            let (u, v) = (x / w, (y - h / 2.0) / (h / 2.0));
            let radius = u.hypot(v);
            let slope = (u / w).hypot(v / (h / 2.0)).max(1e-6) / radius.max(1e-6);
            let inside = (1.0 - radius) / slope;
            if filled { inside + 0.5 } else { half + 0.5 - (inside - half).abs() }
        });
    }

    /// Triangles that halve the cell, and the lines they end at: E0B8 lower left, BA lower right, BC upper
    /// left, BE upper right.
    fn slope(&mut self, code: u32) {
        let filled = code.is_multiple_of(2);
        let corner = (code - 0xe0b8) / 2;
        if !filled {
            let falling = matches!(corner, 0 | 3);
            return self.diagonals(!falling, falling);
        }
        let (w, h) = (self.width as f32, self.height as f32);
        let length = w.hypot(h);
        self.shade(|x, y| {
            let x = if corner % 2 == 1 { w - x } else { x };
            let y = if corner >= 2 { h - y } else { y };
            // The lower left half: below the line from the upper left to the lower right.
            (w * y - h * x) / length + 0.5
        });
    }

    /// Arrowheads between coloured segments: filled and outlined, to the right and to the left.
    fn powerline(&mut self, code: u32) {
        let (w, h) = (self.width as f32, self.height as f32);
        let half = self.stroke as f32 / 2.0;
        let mirrored = code >= 0xe0b2;
        let filled = code.is_multiple_of(2);
        let slope = (h / 2.0).hypot(w);
        self.shade(|x, y| {
            let x = if mirrored { w - x } else { x };
            let from_middle = (y - h / 2.0).abs();
            // Distance from the slanted edge, positive inside.
            let inside = ((w - x) * h / 2.0 - from_middle * w) / slope;
            if filled { inside + 0.5 } else { half + 0.5 - (inside - half).abs() }
        });
    }

    /// A line from the top to the middle of a letter, and from there to the right.
    fn angle(&mut self, metrics: &Metrics) {
        let (w, t) = (self.width, self.stroke);
        let x = band(w, self.thickness(LIGHT));
        let end = (metrics.baseline as i32 - w / 3).clamp(t, self.height);
        self.fill(x.0, 0, x.1, end, 255);
        self.fill(x.0, end - t, w, end, 255);
    }

    /// Triangles to the left, right, up and down, two bars, a square, a disc.
    fn recorder(&mut self, code: u32, metrics: &Metrics) {
        let (w, baseline) = (self.width as f32, metrics.baseline as f32);
        let radius = (w * 0.44).max(1.5);
        // The middle of a capital letter.
        let (cx, cy) = (w / 2.0, (baseline - w * 0.58).max(radius));
        self.shade(|x, y| {
            let (x, y) = (x - cx, y - cy);
            // A triangle that points along `u`.
            let triangle = |u: f32, v: f32| (radius - u) / 2.0 - v.abs() * 0.9;
            let inside = match code {
                0x23f4 => triangle(-x, y).min(x + radius).min(radius - x),
                0x23f5 => triangle(x, y).min(x + radius),
                0x23f6 => triangle(-y, x).min(radius - y),
                0x23f7 => triangle(y, x).min(y + radius),
                0x23f8 => (radius * 0.28 - (x.abs() - radius * 0.55).abs()).min(radius - y.abs()),
                0x23f9 => radius * 0.85 - x.abs().max(y.abs()),
                _ => radius - x.hypot(y),
            };
            inside + 0.5
        });
    }

    fn line(&mut self, line: Line, metrics: &Metrics) {
        let (w, h, t) = (self.width, self.height, self.stroke);
        let top = metrics.underline as i32;
        match line {
            Line::Single => self.fill(0, top, w, top + t, 255),
            Line::Strike => {
                let top = metrics.strike as i32;
                self.fill(0, top, w, top + t, 255);
            }
            Line::Double => {
                let lower = (top + 2 * t).min(h - t);
                let upper = (lower - 2 * t).max(0);
                self.fill(0, upper, w, upper + t, 255);
                self.fill(0, lower, w, lower + t, 255);
            }
            Line::Dotted => {
                let step = 2 * t;
                for x in (0..w).step_by(step as usize) {
                    self.fill(x, top, x + t, top + t, 255);
                }
            }
            Line::Dashed => {
                // A dash over the middle and half a gap at either end: the gaps join across cells.
                let gap = (w / 4).max(1);
                self.fill(gap - gap / 2, top, w - gap / 2, top + t, 255);
            }
            Line::Curl => self.curl(top),
        }
    }

    /// One whole wave a cell, so that it goes on in the next.
    fn curl(&mut self, top: i32) {
        let (w, h, t) = (self.width as f32, self.height as f32, self.stroke as f32);
        let amplitude = (t * 1.2).max(1.0).min(h / 6.0);
        let middle = (top as f32 + t / 2.0).min(h - amplitude - t / 2.0 - 0.5);
        let turn = std::f32::consts::TAU / w;
        self.shade(|x, y| {
            let wave = middle - amplitude * (turn * x).sin();
            // The distance to a steep curve is less than the distance straight up to it.
            let slope = amplitude * turn * (turn * x).cos();
            let distance = (y - wave).abs() / slope.hypot(1.0);
            t / 2.0 + 0.5 - distance
        });
    }
}

/// A band of some thickness in the middle of a length. Every glyph uses the same rounding: that is why
/// they meet.
fn band(length: i32, thickness: i32) -> (i32, i32) {
    // An odd remainder goes to the far side, whatever the thickness.
    let start = (length - thickness).div_euclid(2);
    (start, start + thickness)
}

/// So many eighths of a length in whole pixels; at least one pixel.
fn eighth(length: i32, count: i32) -> i32 {
    ((length * count + 4) / 8).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(width: u32, height: u32) -> Metrics {
        let stroke = (height / 20).max(1);
        let lowest = height - stroke;
        Metrics {
            width,
            height,
            baseline: height * 3 / 4,
            stroke,
            underline: (height * 7 / 8).min(lowest),
            strike: height / 2,
        }
    }

    /// Cells as fonts of 7 to 40 pixels have them, odd and even sides in every combination.
    fn cells() -> impl Iterator<Item = Metrics> {
        (7..=40).flat_map(|size| {
            [(0, 0), (0, 1), (1, 0)]
                .map(|(dx, dy)| metrics(size * 6 / 10 + dx, size * 13 / 10 + dy))
        })
    }

    fn at(raster: &Raster, x: i32, y: i32) -> u8 {
        raster.pixels[y as usize * raster.width as usize + x as usize]
    }

    /// Which pixels of an edge are inked: 0 up, 1 right, 2 down, 3 left.
    fn edge(raster: &Raster, side: usize) -> Vec<bool> {
        let (w, h) = (raster.width as i32, raster.height as i32);
        let inked = |x, y| at(raster, x, y) > 127;
        match side {
            0 => (0..w).map(|x| inked(x, 0)).collect(),
            1 => (0..h).map(|y| inked(w - 1, y)).collect(),
            2 => (0..w).map(|x| inked(x, h - 1)).collect(),
            _ => (0..h).map(|y| inked(0, y)).collect(),
        }
    }

    fn arm_edge(length: u32, thickness: i32, arm: u8) -> Vec<bool> {
        let (start, end) = band(length as i32, thickness);
        let hollow = band(length as i32, thickness / 3);
        (0..length as i32)
            .map(|x| {
                let inside = (start..end).contains(&x);
                inside && !(arm == DOUBLE && (hollow.0..hollow.1).contains(&x))
            })
            .collect()
    }

    #[test]
    fn box_lines_meet_at_the_borders_of_their_cells() {
        for metrics in cells() {
            for (index, arms) in LINES.iter().enumerate() {
                if arms.iter().all(|arm| *arm == NONE) {
                    continue;
                }
                let c = char::from_u32(0x2500 + index as u32).expect("a character");
                let raster = draw(c, &metrics).expect("built in");
                for (side, arm) in arms.iter().enumerate() {
                    let length = if side % 2 == 0 { metrics.width } else { metrics.height };
                    let thickness = Canvas::new(&metrics).thickness(*arm);
                    let expected = arm_edge(length, thickness, *arm);
                    let drawn = edge(&raster, side);
                    // In the narrowest cells a double line lies along the border itself.
                    if metrics.width as i32 >= 3 * metrics.stroke as i32 + 2 {
                        assert_eq!(drawn, expected, "{c} side {side} of {metrics:?}");
                    }
                    let meets = expected.iter().zip(&drawn).all(|(wanted, is)| is | !wanted);
                    assert!(meets, "{c} side {side} of {metrics:?}");
                }
            }
        }
    }

    #[test]
    fn rounded_corners_meet_straight_lines() {
        for metrics in cells() {
            for (c, sides) in [('╭', [1, 2]), ('╮', [2, 3]), ('╯', [0, 3]), ('╰', [0, 1])] {
                let raster = draw(c, &metrics).expect("built in");
                for side in sides {
                    let line = if side % 2 == 0 { '│' } else { '─' };
                    let line = draw(line, &metrics).expect("built in");
                    assert_eq!(edge(&raster, side), edge(&line, side), "{c} {metrics:?}");
                }
            }
        }
    }

    #[test]
    fn blocks_complete_each_other() {
        for metrics in cells() {
            for (one, other) in [('▀', '▄'), ('▌', '▐'), ('▚', '▞'), ('▛', '▗'), ('▙', '▝')]
            {
                let one = draw(one, &metrics).expect("built in");
                let other = draw(other, &metrics).expect("built in");
                let sum = one.pixels.iter().zip(&other.pixels).map(|(a, b)| a ^ b);
                assert!(sum.into_iter().all(|ink| ink == 255), "{metrics:?}");
            }
        }
    }

    #[test]
    fn octants_are_in_the_order_of_unicode() {
        // BLOCK OCTANT-3, -23, -4, -14, -124, -34, -5 and, the last, -2345678.
        for (place, pattern) in [
            (0, 0b100),
            (1, 0b110),
            (3, 0b1000),
            (4, 0b1001),
            (5, 0b1011),
            (6, 0b1100),
            (9, 0b10000),
        ] {
            assert_eq!(OCTANTS[place], pattern, "{place}");
        }
        assert_eq!(OCTANTS[229], 0b1111_1110);
    }

    #[test]
    fn octants_sextants_and_eighths_complete_their_counterparts() {
        for metrics in cells() {
            let pixels = |c| draw(c, &metrics).expect("built in").pixels;
            let fills = |one: &[u8], other: &[u8]| one.iter().zip(other).all(|(a, b)| a ^ b == 255);
            for (index, pattern) in OCTANTS.iter().enumerate() {
                let Some(other) = OCTANTS.iter().position(|other| *other == !pattern) else {
                    continue;
                };
                let at =
                    |index: usize| char::from_u32(0x1cd00 + index as u32).expect("a character");
                assert!(fills(&pixels(at(index)), &pixels(at(other))), "{pattern:08b} {metrics:?}");
            }
            // Upper five eighths above lower three eighths, right above left, a sextant and the rest.
            for (one, other) in [
                ('\u{1fb82}', '▆'),
                ('\u{1fb83}', '▅'),
                ('\u{1fb84}', '▃'),
                ('\u{1fb85}', '▂'),
                ('\u{1fb86}', '▁'),
                ('🬀', '🬻'),
                ('🬂', '🬹'),
                ('🬎', '🬭'),
            ] {
                assert!(fills(&pixels(one), &pixels(other)), "{one} {other} {metrics:?}");
            }
        }
    }

    #[test]
    fn braille_has_as_many_dots_as_bits() {
        for metrics in cells() {
            let dot = (metrics.width / 4).min(metrics.height / 8).max(1).pow(2);
            for bits in 0..=255u8 {
                let c = char::from_u32(0x2800 + u32::from(bits)).expect("a character");
                let raster = draw(c, &metrics).expect("built in");
                let inked = raster.pixels.iter().filter(|ink| **ink > 0).count();
                assert_eq!(inked as u32, bits.count_ones() * dot, "{c} {metrics:?}");
            }
        }
    }

    #[test]
    fn small_pictures_are_as_drawn() {
        let metrics = metrics(7, 9);
        let cases = [
            ('╔', ".......|.......|.......|..#####|..#....|..#.###|..#.#..|..#.#..|..#.#.."),
            ('╬', "..#.#..|..#.#..|..#.#..|###.###|.......|###.###|..#.#..|..#.#..|..#.#.."),
            ('╤', ".......|.......|.......|#######|.......|#######|...#...|...#...|...#..."),
            ('╪', "...#...|...#...|...#...|#######|...#...|#######|...#...|...#...|...#..."),
            ('╒', ".......|.......|.......|...####|...#...|...####|...#...|...#...|...#..."),
            ('┞', "..##...|..##...|..##...|..##...|..#####|...#...|...#...|...#...|...#..."),
        ];
        for (c, expected) in cases {
            let raster = draw(c, &metrics).expect("built in");
            let rows: Vec<String> = raster
                .pixels
                .chunks(7)
                .map(|row| row.iter().map(|ink| if *ink > 127 { '#' } else { '.' }).collect())
                .collect();
            assert_eq!(rows.join("|"), expected, "{c}");
        }
    }

    #[test]
    fn waves_go_on_in_the_next_cell() {
        for metrics in cells() {
            let raster = line(Line::Curl, &metrics);
            let w = raster.width as i32;
            for y in 0..raster.height as i32 {
                let step = at(&raster, 0, y).abs_diff(at(&raster, w - 1, y));
                assert!(step < 250, "{metrics:?} row {y}: {step}");
            }
            assert!(raster.pixels.iter().any(|ink| *ink > 200), "{metrics:?}");
        }
    }

    #[test]
    fn recorder_signs_can_be_seen_at_every_size() {
        for metrics in cells() {
            for c in ('⏴'..='⏺').chain(['⎿']) {
                let raster = symbol(c, &metrics).expect("built in");
                assert!(raster.pixels.iter().any(|ink| *ink > 100), "{c} {metrics:?}");
            }
            assert_eq!(symbol('●', &metrics), None);
        }
    }

    #[test]
    fn only_its_own_characters_are_built_in() {
        let others = ['a', ' ', '\u{e0c0}', '好', '\u{1fb3c}', '\u{1cde6}'];
        let own = ['█', '⣿', '🬻', '\u{e0b0}', '\u{e0bf}', '\u{2800}', '\u{1cd00}', '\u{1fb8b}'];
        for c in others.into_iter().chain(own) {
            let expected = own.contains(&c);
            assert_eq!(draw(c, &metrics(9, 20)).is_some(), expected, "{c}");
        }
    }
}
