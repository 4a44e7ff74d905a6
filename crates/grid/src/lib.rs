//! The terminal widget: a frame becomes one wgpu primitive, or quads and text on the software renderer.
