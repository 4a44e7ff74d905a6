//! Text that can be read: a colour moved away from what is behind it until the two differ enough.
//!
//! Contrast is counted as WCAG 2.2 does (<https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>): from 1, no
//! difference, to 21, black on white.

use crate::encode::{pack, unpack};
use crate::look::Rgb;

/// How many pairs of colours are remembered. A screen has a few dozen; beyond it pairs push each other out.
const KNOWN: usize = 1024;

/// Answers of [`readable`], by the pair asked for.
#[derive(Debug, Default)]
pub(crate) struct Contrasts {
    contrast: u32,
    /// The pair, and the ink that can be read.
    known: Vec<(u32, u32, u32)>,
}

impl Contrasts {
    /// The ink in a colour that can be read on what is behind it. `contrast` is in hundredths.
    pub(crate) fn readable(&mut self, ink: u32, behind: u32, contrast: u32) -> u32 {
        if self.contrast != contrast || self.known.is_empty() {
            self.contrast = contrast;
            self.known.clear();
            // No pair has bits above the colours.
            self.known.resize(KNOWN, (u32::MAX, u32::MAX, 0));
        }
        let mixed = (ink ^ behind.rotate_left(13)).wrapping_mul(0x9e37_79b9);
        let place = &mut self.known[mixed as usize >> 22];
        if (place.0, place.1) != (ink, behind) {
            *place = (ink, behind, readable(ink, behind, contrast));
        }
        place.2
    }
}

/// The same, worked out.
pub(crate) fn readable(ink: u32, behind: u32, contrast: u32) -> u32 {
    let wanted = contrast as f32 / 100.0;
    let (from, behind) = (unpack(ink), luminance(unpack(behind)));
    let is = |color: Rgb| ratio(luminance(color), behind);
    if is(from) >= wanted {
        return ink;
    }
    let (white, black) = ([255; 3], [0; 3]);
    // The way it already leans, unless only the other one leads far enough.
    let lighter = luminance(from) >= behind;
    let (near, far) = if lighter { (white, black) } else { (black, white) };
    let to = if is(near) >= wanted || is(near) >= is(far) { near } else { far };
    // The least step that is enough, in 256ths: halving finds it because contrast only grows on the way.
    // On the other way it falls first, and what is found is enough all the same.
    let at = |step: u32| -> Rgb {
        std::array::from_fn(|channel| {
            let (from, to) = (u32::from(from[channel]), u32::from(to[channel]));
            ((from * (256 - step) + to * step + 128) / 256) as u8
        })
    };
    let (mut low, mut high) = (0, 256);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if is(at(middle)) >= wanted {
            high = middle;
        } else {
            low = middle;
        }
    }
    pack(at(high))
}

fn ratio(one: f32, other: f32) -> f32 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// How bright a colour is, from 0 to 1.
fn luminance([r, g, b]: Rgb) -> f32 {
    let linear = |channel: u8| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(ink: u32, behind: u32) -> f32 {
        ratio(luminance(unpack(ink)), luminance(unpack(behind)))
    }

    #[test]
    fn contrast_is_counted_as_in_the_standard() {
        for (ink, behind, expected) in [
            ([0, 0, 0], [255, 255, 255], 21.0),
            ([119, 119, 119], [255, 255, 255], 4.48),
            ([255, 0, 0], [255, 255, 255], 4.0),
            ([7, 7, 7], [7, 7, 7], 1.0),
        ] {
            let is = between(pack(ink), pack(behind));
            assert!((is - expected).abs() < 0.01, "{ink:?} on {behind:?}: {is}");
        }
    }

    #[test]
    fn text_becomes_readable_and_what_is_readable_stays() {
        let mut known = Contrasts::default();
        for behind in [[0, 0, 0], [255, 255, 255], [11, 13, 16], [128, 128, 128], [108, 168, 232]] {
            let behind = pack(behind);
            for n in 0..4096u32 {
                let ink = pack([8, 4, 0].map(|shift| (n >> shift & 15) as u8 * 17));
                let now = known.readable(ink, behind, 450);
                assert_eq!(now, readable(ink, behind, 450));
                if between(ink, behind) >= 4.5 {
                    assert_eq!(now, ink);
                } else {
                    let is = between(now, behind);
                    assert!(is >= 4.5, "{:?} on {:?}: {is}", unpack(ink), unpack(behind));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_reached_comes_as_near_as_may_be() {
        let grey = pack([119; 3]);
        assert_eq!(unpack(readable(grey, grey, 2100)), [0; 3]);
        assert_eq!(unpack(readable(pack([200; 3]), pack([0; 3]), 2100)), [255; 3]);
    }
}
