// One terminal: a rectangle whose every pixel looks up its cell. See `encode.rs` for a cell's bits and
// `compose.rs` for the same on the processor; the two must agree.
//
// A software renderer runs both sides of every `if` for every pixel, whatever the condition; only loops
// end early. Hence one loop over what lies in a cell, nearly always one glyph or nothing, and a constant
// where the whole pipeline agrees.

// Whether the target converts what is written to it, so that colours must be handed over linear.
override LINEAR: bool = false;

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
    // Colours of what the shell said about rows.
    prompt: u32,
    done: u32,
    failed: u32,
    // Of what is drawn to, in pixels.
    whole: vec2<f32>,
    rest: vec2<u32>,
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
    if !LINEAR {
        return vec4<f32>(color, 1.0);
    }
    let low = color / 12.92;
    let high = pow((color + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, color <= vec3<f32>(0.04045)), 1.0);
}

@fragment
fn pixel(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let p = vec2<i32>(floor(position.xy)) - pane.origin;
    let inside = all(p >= vec2<i32>(0)) && all(p < pane.grid * pane.cell);
    // Divisions are by multiplication with the inverse of numbers far below 2^16: exact, and much cheaper
    // than integer division on a software renderer.
    let place = vec2<i32>((vec2<f32>(p) + 0.5) * pane.inverse.xy);
    let at = p - place * pane.cell;
    let word = textureLoad(cells, place, 0);
    var ink = rgb(word.y);
    var color = rgb(word.z);
    let line = rgb(word.w);

    let part = place.x - pane.cursor.x;
    let under_cursor = pane.cursor.w != 0 && place.y == pane.cursor.y && part >= 0 && part < pane.cursor.z;
    let block = under_cursor && pane.cursor.w == 1;
    color = select(color, rgb(pane.cursor_color), block);
    ink = select(ink, rgb(pane.cursor_text), block);

    // From the back: what a neighbour's glyph leaves here, the underline, the glyph, the strike.
    let neighbour = word.x >> 16u;
    let underline = (word.y >> 24u) & 7u;
    let glyph = word.x & 0xffffu;
    let struck = (word.y & 0x08000000u) != 0u;
    let own = (word.y & 0x10000000u) != 0u;
    var layers = select(0u, 1u, neighbour != 0u) | select(0u, 2u, underline != 0u)
        | select(0u, 4u, glyph != 0u) | select(0u, 8u, struck);
    layers = select(0u, layers, inside);
    while layers != 0u {
        let layer = layers & (~layers + 1u);
        layers = layers & (layers - 1u);
        var slot = glyph;
        slot = select(slot, neighbour, layer == 1u);
        slot = select(slot, underline, layer == 2u);
        slot = select(slot, pane.strike_slot, layer == 8u);
        let other = layer == 2u || (layer == 1u && !own);
        let tint = select(ink, line, other);
        let picture = (slot & 0x8000u) != 0u;
        let index = slot & 0x7fffu;
        let inverse = select(pane.inverse.z, pane.inverse.w, picture);
        let per_row = select(pane.per_row.x, pane.per_row.y, picture);
        let row = i32((f32(index) + 0.5) * inverse);
        let texel = vec2<i32>(i32(index) - row * per_row, row) * pane.cell + at;
        var paint = vec4<f32>(tint, textureLoad(masks, texel, 0).r);
        if picture {
            paint = textureLoad(colors, texel, 0);
            let faint = select(word.y & 0x20000000u, word.y & 0x40000000u, layer == 1u) != 0u;
            paint.a = select(paint.a, paint.a * 0.6, faint);
        }
        color = mix(color, paint.rgb, paint.a);
    }

    let over = inside && under_cursor && cursor_line(at, part);
    color = select(color, rgb(pane.cursor_color), over);
    return finish(select(rgb(pane.background), color, inside));
}

// Beside a row: what the shell said about it, which its first cell knows. One instance a row, drawn only
// for a terminal that has any, so that others do not pay for it in every pixel.

struct Tick {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: u32,
}

@vertex
fn tick_corner(@builtin(vertex_index) index: u32, @builtin(instance_index) row: u32) -> Tick {
    let mark = (textureLoad(cells, vec2<i32>(0, i32(row)), 0).z >> 24u) & 3u;
    let quarter = pane.cell / 4;
    let right = index == 1u || index == 2u || index == 4u;
    let bottom = index == 2u || index == 4u || index == 5u;
    let top = pane.origin.y + i32(row) * pane.cell.y;
    let x = pane.origin.x - select(2, 1, right) * quarter.x;
    let y = top + select(quarter.y, pane.cell.y - quarter.y, bottom);
    let across = f32(x) / pane.whole.x * 2.0 - 1.0;
    let down = 1.0 - f32(y) / pane.whole.y * 2.0;
    var color = pane.prompt;
    color = select(color, pane.done, mark == 2u);
    color = select(color, pane.failed, mark == 3u);
    // A row without a mark is a point, which covers nothing.
    let corner = select(vec2<f32>(0.0), vec2<f32>(across, down), mark != 0u);
    return Tick(vec4<f32>(corner, 0.0, 1.0), color);
}

@fragment
fn tick_pixel(tick: Tick) -> @location(0) vec4<f32> {
    return finish(rgb(tick.color));
}
