//! Cell metrics, shaping, rasterising, built-in glyphs and atlas packing.
