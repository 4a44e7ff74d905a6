use maestro_glyph::Metrics;

use crate::look::Look;

pub(crate) fn metrics(look: &Look, scale: f32) -> Metrics {
    let _ = scale;
    let size = look.size;
    Metrics { width: size as u32, height: size as u32 * 2, baseline: 10, stroke: 1, underline: 11, strike: 5 }
}
