// One terminal: a rectangle whose every pixel looks up its cell. See `encode.rs` for a cell's bits and
// `compose.rs` for the same on the processor; the two must agree.

struct Pane {
    area: vec4<f32>,
    inverse: vec4<f32>,
    origin: vec2<i32>,
    cell: vec2<i32>,
    grid: vec2<i32>,
    per_row: vec2<i32>,
    cursor: vec4<i32>,
    background: u32,
    cursor_color: u32,
    cursor_text: u32,
    stroke: i32,
    strike_slot: u32,
    linear: u32,
    padding: vec2<u32>,
}

@group(0) @binding(0) var<uniform> pane: Pane;
@group(0) @binding(1) var cells: texture_2d<u32>;
@group(1) @binding(0) var masks: texture_2d<f32>;
@group(1) @binding(1) var colors: texture_2d<f32>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let right = index == 1u || index == 2u || index == 4u;
    let bottom = index == 2u || index == 4u || index == 5u;
    let x = select(pane.area.x, pane.area.z, right);
    let y = select(pane.area.y, pane.area.w, bottom);
    return vec4<f32>(x, y, 0.0, 1.0);
}

fn rgb(word: u32) -> vec3<f32> {
    let channels = vec3<u32>(word, word >> 8u, word >> 16u) & vec3<u32>(255u);
    return vec3<f32>(channels) * (1.0 / 255.0);
}

// Divisions are by multiplication with the inverse of numbers far below 2^16: exact, and much cheaper
// than integer division on a software renderer.
fn mask(slot: u32, at: vec2<i32>) -> f32 {
    let row = i32((f32(slot) + 0.5) * pane.inverse.z);
    let place = vec2<i32>(i32(slot) - row * pane.per_row.x, row);
    return textureLoad(masks, place * pane.cell + at, 0).r;
}

fn picture(slot: u32, at: vec2<i32>) -> vec4<f32> {
    let row = i32((f32(slot) + 0.5) * pane.inverse.w);
    let place = vec2<i32>(i32(slot) - row * pane.per_row.y, row);
    return textureLoad(colors, place * pane.cell + at, 0);
}

fn glyph(under: vec3<f32>, slot: u32, at: vec2<i32>, ink: vec3<f32>) -> vec3<f32> {
    if slot == 0u {
        return under;
    }
    if (slot & 0x8000u) != 0u {
        let pixel = picture(slot & 0x7fffu, at);
        return mix(under, pixel.rgb, pixel.a);
    }
    return mix(under, ink, mask(slot, at));
}

fn cursor_line(at: vec2<i32>, part: i32) -> bool {
    let t = pane.stroke;
    switch pane.cursor.w {
        case 2: {
            return at.y >= pane.cell.y - max(2, t);
        }
        case 3: {
            return part == 0 && at.x < max(2, t);
        }
        case 4: {
            let first = part == 0 && at.x < t;
            let last = part == pane.cursor.z - 1 && at.x >= pane.cell.x - t;
            return first || last || at.y < t || at.y >= pane.cell.y - t;
        }
        default: {
            return false;
        }
    }
}

fn finish(color: vec3<f32>) -> vec4<f32> {
    if pane.linear == 0u {
        return vec4<f32>(color, 1.0);
    }
    let low = color / 12.92;
    let high = pow((color + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, color <= vec3<f32>(0.04045)), 1.0);
}

@fragment
fn pixel(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let p = vec2<i32>(floor(position.xy)) - pane.origin;
    if any(p < vec2<i32>(0)) || any(p >= pane.grid * pane.cell) {
        return finish(rgb(pane.background));
    }
    let place = vec2<i32>((vec2<f32>(p) + 0.5) * pane.inverse.xy);
    let at = p - place * pane.cell;
    let word = textureLoad(cells, place, 0);
    var ink = rgb(word.y);
    var color = rgb(word.z);

    let part = place.x - pane.cursor.x;
    let under_cursor = pane.cursor.w != 0 && place.y == pane.cursor.y && part >= 0 && part < pane.cursor.z;
    if under_cursor && pane.cursor.w == 1 {
        color = rgb(pane.cursor_color);
        ink = rgb(pane.cursor_text);
    }

    let neighbour = word.x >> 16u;
    if neighbour != 0u {
        let own = (word.y & 0x10000000u) != 0u;
        color = glyph(color, neighbour, at, select(ink, rgb(word.w), own));
    }
    let underline = (word.y >> 24u) & 7u;
    if underline != 0u {
        color = mix(color, rgb(word.w), mask(underline, at));
    }
    color = glyph(color, word.x & 0xffffu, at, ink);
    if (word.y & 0x08000000u) != 0u {
        color = mix(color, ink, mask(pane.strike_slot, at));
    }
    if under_cursor && cursor_line(at, part) {
        color = rgb(pane.cursor_color);
    }
    return finish(color);
}
