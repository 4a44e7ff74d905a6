//! Cells that are made to join do so without gaps, at every size and scale factor.

use maestro_glyph::{Fonts, Line, Raster, Style};

use crate::fonts;

/// Every size a user may choose on every kind of screen.
fn every_size(mut check: impl FnMut(&mut Fonts, &str)) {
    for size in 8..=40 {
        for scale in [1.0, 1.25, 1.5, 2.0, 3.0] {
            check(&mut fonts(size as f32 * scale), &format!("size {size} at scale {scale}"));
        }
    }
}

fn cell(fonts: &mut Fonts, c: char) -> Raster {
    let metrics = fonts.metrics();
    let raster =
        fonts.raster(c.encode_utf8(&mut [0; 4]), Style::default(), 1).expect("it is built in");
    let placed = (raster.left, raster.top, raster.width, raster.height);
    assert_eq!(placed, (0, 0, metrics.width, metrics.height), "{c} fills its cell");
    raster
}

fn at(raster: &Raster, x: u32, y: u32) -> u8 {
    raster.pixels[(y * raster.width + x) as usize]
}

fn column(raster: &Raster, x: u32) -> Vec<bool> {
    (0..raster.height).map(|y| at(raster, x, y) > 127).collect()
}

fn row(raster: &Raster, y: u32) -> Vec<bool> {
    (0..raster.width).map(|x| at(raster, x, y) > 127).collect()
}

#[test]
fn boxes_are_closed() {
    const BOXES: [[&str; 3]; 7] = [
        ["┌─┬┐", "│ ││", "└─┴┘"],
        ["├─┼┤", "│ ││", "└─┴┘"],
        ["┏━┳┓", "┃ ┃┃", "┣━╋┫"],
        ["╔═╦╗", "║ ║║", "╠═╬╣"],
        ["╭─┬╮", "│ ││", "╰─┴╯"],
        ["╒═╤╕", "│ ││", "╞═╪╡"],
        ["╓─╥╖", "║ ║║", "╟─╫╢"],
    ];
    every_size(|fonts, name| {
        for lines in BOXES {
            let drawn: Vec<Vec<Option<Raster>>> = lines
                .iter()
                .map(|line| line.chars().map(|c| (c != ' ').then(|| cell(fonts, c))).collect())
                .collect();
            for (y, line) in drawn.iter().enumerate() {
                for (x, here) in line.iter().enumerate() {
                    let Some(here) = here else { continue };
                    if let Some(Some(right)) = line.get(x + 1) {
                        let (edge, next) = (column(here, here.width - 1), column(right, 0));
                        assert_eq!(edge, next, "{lines:?} at {x},{y}, {name}");
                    }
                    if let Some(Some(below)) = drawn.get(y + 1).and_then(|line| line.get(x)) {
                        let (edge, next) = (row(here, here.height - 1), row(below, 0));
                        assert_eq!(edge, next, "{lines:?} at {x},{y}, {name}");
                        assert!(edge.contains(&true), "{lines:?} at {x},{y}, {name}");
                    }
                }
            }
        }
    });
}

#[test]
fn areas_fill_what_they_should() {
    every_size(|fonts, name| {
        assert!(cell(fonts, '█').pixels.iter().all(|ink| *ink == 255), "{name}");
        for (one, other) in [
            ('▀', '▄'),
            ('▌', '▐'),
            ('▚', '▞'),
            ('▂', '\u{1fb85}'),
            ('🬀', '🬻'),
            ('\u{1fb0d}', '\u{1fb2e}'),
        ] {
            let (one, other) = (cell(fonts, one), cell(fonts, other));
            let rest = one.pixels.iter().zip(&other.pixels).all(|(a, b)| a ^ b == 255);
            assert!(rest, "{name}");
        }
        // Powerline segments touch the cell they come from in their whole height.
        for (c, left) in
            [('\u{e0b0}', true), ('\u{e0b2}', false), ('\u{e0b4}', true), ('\u{e0b6}', false)]
        {
            let raster = cell(fonts, c);
            let x = if left { 0 } else { raster.width - 1 };
            let edge = column(&raster, x);
            let inked = edge.iter().filter(|inked| **inked).count();
            assert!(inked * 10 >= edge.len() * 8, "{c} {name}: {inked} of {}", edge.len());
        }
    });
}

#[test]
fn dots_of_braille_are_spaced_alike_within_a_cell_and_across() {
    every_size(|fonts, name| {
        let full = cell(fonts, '⣿');
        let metrics = fonts.metrics();
        let starts = |line: &[bool]| -> Vec<i64> {
            let doubled: Vec<bool> = line.iter().chain(line).copied().collect();
            (0..doubled.len())
                .filter(|at| doubled[*at] && (*at == 0 || !doubled[*at - 1]))
                .map(|at| at as i64)
                .collect()
        };
        let middle = (0..metrics.height).find(|y| row(&full, *y).contains(&true)).expect("dots");
        for line in [row(&full, middle), {
            let x = (0..metrics.width).find(|x| column(&full, *x).contains(&true)).expect("dots");
            column(&full, x)
        }] {
            let starts = starts(&line);
            let steps: Vec<i64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (steps.iter().min(), steps.iter().max());
            // A cell's side is seldom a multiple of its dots: a pixel more or less it is.
            assert!(most.zip(least).is_some_and(|(m, l)| m - l <= 1), "{name}: {steps:?}");
        }
    });
}

#[test]
fn underlines_go_on_in_the_next_cell() {
    every_size(|fonts, name| {
        for line in [Line::Single, Line::Double, Line::Strike] {
            let raster = fonts.line(line);
            for y in 0..raster.height {
                let inked = row(&raster, y);
                assert!(inked.iter().all(|ink| *ink == inked[0]), "{line:?} {name}");
            }
            assert!(raster.pixels.contains(&255), "{line:?} {name}");
        }
    });
}

#[test]
fn every_octant_and_every_sextant_has_its_share_of_the_cell() {
    every_size(|fonts, name| {
        let area = |fonts: &mut Fonts, c| -> usize {
            cell(fonts, c).pixels.iter().filter(|ink| **ink == 255).count()
        };
        let whole = area(fonts, '█');
        // Each of the six places of a sextant, alone; together they are the cell.
        let places = ['🬀', '🬁', '🬃', '🬇', '🬏', '🬞'];
        assert_eq!(places.map(|c| area(fonts, c)).iter().sum::<usize>(), whole, "{name}");
        let octants = [
            '\u{1cea8}',
            '\u{1ceab}',
            '\u{1cd00}',
            '\u{1cd03}',
            '\u{1cd09}',
            '\u{1cd18}',
            '\u{1cea3}',
            '\u{1cea0}',
        ];
        assert_eq!(octants.map(|c| area(fonts, c)).iter().sum::<usize>(), whole, "{name}");
    });
}
