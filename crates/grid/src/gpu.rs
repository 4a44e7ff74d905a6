//! Drawing on the graphics card: one pipeline for all terminals, inside the toolkit's own pass.
//!
//! A terminal is one rectangle. Its fragment shader finds the cell under each pixel in a texture of
//! encoded cells and the glyph's pixel in the atlas. That costs the same whatever the cells hold, and
//! on a software Vulkan a third of what one rectangle a glyph costs.

use std::collections::HashMap;

use iced::Rectangle;
use iced_wgpu::graphics::Viewport;
use iced_wgpu::primitive::{self, Renderer as _};
use iced_wgpu::wgpu;
use maestro_glyph::{Atlas, Line, Plane};

use crate::clock::{Clock, Moment, Urgency, thread_time};
use crate::counters::AtlasCounts;
use crate::device;
use crate::encode::{Word4, pack};
use crate::pane::Pane;
use crate::sheet::{Cells, Cursor, Key, Sheet};

/// How many frames a view that is not drawn keeps its cells, and a size of type its glyphs. A second of
/// busy drawing, or many minutes of rest.
const PATIENCE: u64 = 600;

/// The most sizes of type kept besides those in use: terminals are zoomed through many.
const MOST_SHEETS: usize = 8;

/// Above this many new glyphs all rows of the atlas that hold them go over in one piece.
const MANY_SLOTS: usize = 16;

/// Draws a terminal.
pub(crate) fn draw(renderer: &mut iced_wgpu::Renderer, bounds: Rectangle, pane: Pane) {
    renderer.draw_primitive(bounds, Primitive { pane });
}

/// A terminal in one frame. The only type of primitive: the toolkit keeps one pipeline a type.
#[derive(Debug)]
pub(crate) struct Primitive {
    pub(crate) pane: Pane,
}

/// Everything on the graphics card. Made anew when the last window was closed and another is opened, so
/// nothing outside remembers what is in here.
pub(crate) struct Pipeline {
    pipeline: wgpu::RenderPipeline,
    ticks: wgpu::RenderPipeline,
    pane_layout: wgpu::BindGroupLayout,
    atlas_layout: wgpu::BindGroupLayout,
    sheets: HashMap<Key, GpuSheet>,
    views: HashMap<u64, View>,
    frame: u64,
    /// Counts the sheets ever made, so that a view notices when its own was made anew.
    made: u64,
    device: device::Watch,
    /// Who is told when a frame is recorded.
    clock: Option<Clock>,
}

/// The glyphs of one size of type.
struct GpuSheet {
    sheet: Sheet,
    masks: Texture,
    colors: Texture,
    bind_group: wgpu::BindGroup,
    made: u64,
    used: u64,
}

/// A copy of a plane of the atlas.
struct Texture {
    texture: wgpu::Texture,
    generation: u32,
}

/// One terminal in one window.
struct View {
    cells: Cells,
    key: Key,
    sheet: u64,
    texture: wgpu::Texture,
    uniforms: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    written: Option<Uniforms>,
    target: (f32, f32),
    used: u64,
}

/// What the shader needs to know of a pane. The layout is the shader's.
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Uniforms {
    /// The rectangle in the coordinates of the screen: left, top, right, bottom.
    area: [f32; 4],
    /// One divided by a cell's width and height, and by the slots in a row of each plane.
    inverse: [f32; 4],
    origin: [i32; 2],
    cell: [i32; 2],
    grid: [i32; 2],
    per_row: [i32; 2],
    /// Column, row, cells, figure.
    cursor: [i32; 4],
    background: u32,
    cursor_color: u32,
    cursor_text: u32,
    stroke: i32,
    strike_slot: u32,
    /// Colours of what the shell said about rows.
    marks: [u32; 3],
    /// Of what is drawn to, in pixels.
    whole: [f32; 2],
    padding: [u32; 2],
}

impl primitive::Primitive for Primitive {
    type Pipeline = Pipeline;

    fn prepare(
        &self,
        pipeline: &mut Pipeline,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        bounds: &Rectangle,
        viewport: &Viewport,
    ) {
        // Read before the rows are: what comes in between belongs to the next frame.
        let input_seq = self.pane.surface.input_seq();
        pipeline.device.draws(device);
        if !pipeline.device.is_lost() {
            pipeline.prepare(&self.pane, device, queue, bounds, viewport);
        }
        let clock = self.pane.surface.clock();
        clock.passed(Moment::Drawn { input_seq });
        if pipeline.clock.is_none() {
            pipeline.clock = Some(clock.clone());
        }
        self.pane.surface.drawn();
    }

    fn draw(&self, pipeline: &Pipeline, pass: &mut wgpu::RenderPass<'_>) -> bool {
        let start = thread_time();
        pipeline.draw(self.pane.view, pass);
        let took = thread_time().saturating_sub(start);
        self.pane.surface.clock().counters().recorded(took);
        true
    }
}

impl primitive::Pipeline for Pipeline {
    fn new(device: &wgpu::Device, _queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let pane_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("maestro pane"),
            entries: &[
                wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                },
                wgpu::BindGroupLayoutEntry {
                    visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                    ..texture_entry(1, wgpu::TextureSampleType::Uint)
                },
            ],
        });
        let float = wgpu::TextureSampleType::Float { filterable: false };
        let atlas_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("maestro atlas"),
            entries: &[texture_entry(0, float), texture_entry(1, float)],
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("maestro terminal"),
            bind_group_layouts: &[&pane_layout, &atlas_layout],
            push_constant_ranges: &[],
        });
        let shader = device.create_shader_module(wgpu::include_wgsl!("terminal.wgsl"));
        let pipeline = |corner, pixel| {
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some("maestro terminal"),
                layout: Some(&layout),
                vertex: wgpu::VertexState {
                    module: &shader,
                    entry_point: Some(corner),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState::default(),
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &shader,
                    entry_point: Some(pixel),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &[("LINEAR", f64::from(u8::from(format.is_srgb())))],
                        ..wgpu::PipelineCompilationOptions::default()
                    },
                    // Terminals are opaque: nothing is blended with what lies behind.
                    targets: &[Some(format.into())],
                }),
                multiview: None,
                cache: None,
            })
        };
        Self {
            pipeline: pipeline("corner", "pixel"),
            ticks: pipeline("tick_corner", "tick_pixel"),
            pane_layout,
            atlas_layout,
            sheets: HashMap::new(),
            views: HashMap::new(),
            frame: 0,
            made: 0,
            device: device::Watch::new(device),
            clock: None,
        }
    }

    /// A frame of some window is over. Nothing tells which one, so age decides and not use.
    fn trim(&mut self) {
        self.frame += 1;
        if let Some(clock) = &self.clock {
            clock.passed(Moment::Recorded);
        }
        self.forget();
        let views = &mut self.views;
        for (key, sheet) in &mut self.sheets {
            let shown = views.values().filter(|view| view.key == *key);
            if sheet.sheet.frame_over(shown.map(|view| view.cells.words.as_slice())) {
                for view in views.values_mut().filter(|view| view.key == *key) {
                    view.cells.invalidate();
                }
                if let Some(clock) = &self.clock {
                    clock.counters().evicted();
                    clock.request(Urgency::Paced);
                }
            }
        }
        if let Some(clock) = &self.clock {
            clock.counters().atlas(self.atlas());
        }
    }
}

impl Pipeline {
    /// Gives up views that were not drawn for long, and sizes of type: those not used for long, and of
    /// more than anybody looks at the ones that were not in this frame, oldest first.
    fn forget(&mut self) {
        let oldest = self.frame.saturating_sub(PATIENCE);
        self.views.retain(|_, view| view.used >= oldest);
        self.sheets.retain(|_, sheet| sheet.used >= oldest);
        while self.sheets.len() > MOST_SHEETS {
            let least = self.sheets.iter().min_by_key(|(_, sheet)| sheet.used);
            let Some((key, used)) = least.map(|(key, sheet)| (*key, sheet.used)) else { return };
            // The frame was counted already.
            if used + 1 >= self.frame {
                return;
            }
            let _ = self.sheets.remove(&key);
        }
    }

    fn atlas(&self) -> AtlasCounts {
        let [masks, pictures] = self.fill().map(|(taken, most)| (taken as u64, most as u64));
        let bytes = self.sheets.values().map(|sheet| sheet.sheet.atlas.bytes() as u64).sum();
        AtlasCounts { sizes: self.sheets.len() as u64, masks, pictures, bytes }
    }

    /// Slots of glyphs taken and slots there can be, of the planes for text and for pictures, over all
    /// sizes of type.
    pub(crate) fn fill(&self) -> [(usize, usize); 2] {
        self.sheets.values().fold([(0, 0); 2], |[masks, colors], sheet| {
            let add = |sum: (usize, usize), plane: &Plane| {
                let (taken, most) = plane.fill();
                (sum.0 + taken, sum.1 + most)
            };
            let atlas = &sheet.sheet.atlas;
            [add(masks, &atlas.masks), add(colors, &atlas.colors)]
        })
    }

    fn prepare(
        &mut self,
        pane: &Pane,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        bounds: &Rectangle,
        viewport: &Viewport,
    ) {
        let key = Key::of(&pane.look, pane.geometry.scale);
        let sheet = self.sheets.entry(key).or_insert_with(|| {
            let tallest = device.limits().max_texture_dimension_2d;
            self.made += 1;
            GpuSheet::new(Sheet::new(&key, tallest), self.made, device, &self.atlas_layout)
        });
        sheet.used = self.frame;
        let size = (u32::from(pane.geometry.cols), u32::from(pane.geometry.rows));
        let layout = &self.pane_layout;
        let view =
            self.views.entry(pane.view).or_insert_with(|| View::new(device, layout, size, key));
        view.used = self.frame;
        if (view.key, view.sheet) != (key, sheet.made) {
            (view.key, view.sheet) = (key, sheet.made);
            view.cells.invalidate();
        }
        if (view.texture.width(), view.texture.height()) != size {
            *view = View { used: self.frame, ..View::new(device, layout, size, key) };
            view.sheet = sheet.made;
        }

        let (changed, cursor) = view.cells.update(pane, &mut sheet.sheet);
        let start = thread_time();
        let glyphs = sheet.upload(device, queue, &self.atlas_layout);
        let mut bytes = 0;
        for rows in changed {
            bytes += view.upload(queue, rows);
        }
        let uniforms = uniforms(pane, view, &sheet.sheet, cursor, bounds, viewport);
        if view.written != Some(uniforms) {
            view.written = Some(uniforms);
            queue.write_buffer(&view.uniforms, 0, bytemuck::bytes_of(&uniforms));
            bytes += size_of::<Uniforms>();
        }
        let target = viewport.physical_size();
        view.target = (target.width as f32, target.height as f32);
        pane.surface.counters().uploaded(bytes);
        let took = thread_time().saturating_sub(start);
        pane.surface.clock().counters().uploaded(glyphs + bytes, took);
    }

    fn draw(&self, view: u64, pass: &mut wgpu::RenderPass<'_>) {
        if self.device.is_lost() {
            return;
        }
        let Some(view) = self.views.get(&view) else { return };
        let Some(sheet) = self.sheets.get(&view.key) else { return };
        // The toolkit sets the viewport to the widget's bounds, which may begin between two pixels.
        // Cells must not: they are placed on the whole target. Its clipping stays.
        pass.set_viewport(0.0, 0.0, view.target.0, view.target.1, 0.0, 1.0);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &view.bind_group, &[]);
        pass.set_bind_group(1, &sheet.bind_group, &[]);
        pass.draw(0..6, 0..1);
        if view.cells.is_marked() {
            pass.set_pipeline(&self.ticks);
            pass.draw(0..6, 0..u32::from(view.cells.rows));
        }
    }
}

impl GpuSheet {
    fn new(sheet: Sheet, made: u64, device: &wgpu::Device, layout: &wgpu::BindGroupLayout) -> Self {
        let masks = Texture::new(device, &sheet.atlas.masks, wgpu::TextureFormat::R8Unorm);
        let colors = Texture::new(device, &sheet.atlas.colors, wgpu::TextureFormat::Rgba8Unorm);
        let bind_group = atlas_bind_group(device, layout, &masks, &colors);
        Self { sheet, masks, colors, bind_group, made, used: 0 }
    }

    /// Brings the copies up to date; returns how many bytes that took.
    fn upload(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        layout: &wgpu::BindGroupLayout,
    ) -> usize {
        let atlas = &mut self.sheet.atlas;
        let (masks, grew) = self.masks.upload(device, queue, &mut atlas.masks);
        let (colors, grew_too) = self.colors.upload(device, queue, &mut atlas.colors);
        if grew || grew_too {
            self.bind_group = atlas_bind_group(device, layout, &self.masks, &self.colors);
        }
        masks + colors
    }
}

impl Texture {
    fn new(device: &wgpu::Device, plane: &Plane, format: wgpu::TextureFormat) -> Self {
        let (width, height) = plane.size();
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("maestro glyphs"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        // Textures begin as zeroes, like planes; what a plane holds already is among its changes.
        Self { texture, generation: plane.generation() }
    }

    fn upload(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        plane: &mut Plane,
    ) -> (usize, bool) {
        let grew = self.generation != plane.generation();
        if grew {
            *self = Self::new(device, plane, self.texture.format());
        }
        let changed: Vec<u16> = plane.drain().collect();
        if !grew && changed.is_empty() {
            return (0, false);
        }
        let cell_height = plane.origin(plane.per_row() as u16).1;
        let top = |slot: u16| plane.origin(slot).1;
        if grew || changed.len() > MANY_SLOTS {
            let height = plane.size().1;
            let first = changed.iter().map(|slot| top(*slot)).min().unwrap_or(0);
            let last = changed.iter().map(|slot| top(*slot) + cell_height).max().unwrap_or(height);
            let (first, last) = if grew { (0, height) } else { (first, last) };
            return (self.write(queue, plane, (0, first), (plane.size().0, last - first)), grew);
        }
        let cell_width = plane.size().0 / plane.per_row();
        let sizes = changed
            .into_iter()
            .map(|slot| self.write(queue, plane, plane.origin(slot), (cell_width, cell_height)));
        (sizes.sum(), false)
    }

    fn write(
        &self,
        queue: &wgpu::Queue,
        plane: &Plane,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
    ) -> usize {
        let depth = plane.stride() / plane.size().0.max(1) as usize;
        let start = y as usize * plane.stride() + x as usize * depth;
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                origin: wgpu::Origin3d { x, y, z: 0 },
                ..self.texture.as_image_copy()
            },
            plane.pixels().get(start..).unwrap_or_default(),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(plane.stride() as u32),
                rows_per_image: None,
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        width as usize * height as usize * depth
    }
}

impl View {
    fn new(
        device: &wgpu::Device,
        layout: &wgpu::BindGroupLayout,
        (width, height): (u32, u32),
        key: Key,
    ) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("maestro cells"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba32Uint,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("maestro pane"),
            size: size_of::<Uniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let cells = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("maestro pane"),
            layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&cells),
                },
            ],
        });
        Self {
            cells: Cells::default(),
            key,
            sheet: 0,
            texture,
            uniforms,
            bind_group,
            written: None,
            target: (1.0, 1.0),
            used: 0,
        }
    }

    fn upload(&self, queue: &wgpu::Queue, rows: std::ops::Range<u16>) -> usize {
        let cols = usize::from(self.cells.cols);
        let words = &self.cells.words[usize::from(rows.start) * cols..usize::from(rows.end) * cols];
        let bytes: &[u8] = bytemuck::cast_slice(words);
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                origin: wgpu::Origin3d { x: 0, y: u32::from(rows.start), z: 0 },
                ..self.texture.as_image_copy()
            },
            bytes,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some((cols * size_of::<Word4>()) as u32),
                rows_per_image: None,
            },
            wgpu::Extent3d {
                width: cols as u32,
                height: u32::from(rows.end - rows.start),
                depth_or_array_layers: 1,
            },
        );
        bytes.len()
    }
}

fn uniforms(
    pane: &Pane,
    view: &View,
    sheet: &Sheet,
    cursor: Cursor,
    bounds: &Rectangle,
    viewport: &Viewport,
) -> Uniforms {
    let metrics = sheet.atlas.metrics();
    // The bounds are final here, with every translation of the layers around; the scale is the
    // window's own and counts where the two disagree for a frame.
    let snap = |length: f32| (length * viewport.scale_factor()).round();
    let (left, top) = (snap(bounds.x), snap(bounds.y));
    let (right, bottom) = (snap(bounds.x + bounds.width), snap(bounds.y + bounds.height));
    let target = viewport.physical_size();
    let across = |x: f32| x / target.width.max(1) as f32 * 2.0 - 1.0;
    let down = |y: f32| 1.0 - y / target.height.max(1) as f32 * 2.0;
    let per_row = [sheet.atlas.masks.per_row(), sheet.atlas.colors.per_row()];
    let color = |choose: fn(&crate::look::Colors) -> crate::look::Rgb| {
        view.cells.colors().map_or(0, |colors| pack(choose(colors)))
    };
    Uniforms {
        area: [across(left), down(top), across(right), down(bottom)],
        inverse: [
            1.0 / metrics.width as f32,
            1.0 / metrics.height as f32,
            1.0 / per_row[0] as f32,
            1.0 / per_row[1] as f32,
        ],
        origin: [left as i32 + pane.inset.0, top as i32 + pane.inset.1],
        cell: [metrics.width as i32, metrics.height as i32],
        grid: [i32::from(view.cells.cols), i32::from(view.cells.rows)],
        per_row: per_row.map(|count| count as i32),
        cursor: [
            i32::from(cursor.col),
            i32::from(cursor.row),
            i32::from(cursor.cells),
            cursor.figure as i32,
        ],
        background: color(|colors| colors.background),
        cursor_color: color(|colors| colors.cursor),
        cursor_text: color(|colors| colors.cursor_text),
        stroke: metrics.stroke as i32,
        strike_slot: u32::from(Atlas::line(Line::Strike)),
        marks: view.cells.colors().map_or([0; 3], |colors| colors.marks.map(pack)),
        whole: [target.width.max(1) as f32, target.height.max(1) as f32],
        padding: [0; 2],
    }
}

fn texture_entry(binding: u32, sample_type: wgpu::TextureSampleType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type,
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    }
}

fn atlas_bind_group(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    masks: &Texture,
    colors: &Texture,
) -> wgpu::BindGroup {
    let view =
        |texture: &Texture| texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
    let (masks, colors) = (view(masks), view(colors));
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("maestro atlas"),
        layout,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(&masks),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: wgpu::BindingResource::TextureView(&colors),
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use iced::{Point, Size};
    use iced_wgpu::primitive::{Pipeline as _, Primitive as _};
    use maestro_glyph::Faces;

    use super::*;
    use crate::look::{Look, Palette};
    use crate::offscreen::{adapter, ready};
    use crate::pane::{CursorLook, Over};
    use crate::surface::Surface;
    use crate::terminal::Geometry;

    const REGULAR: &[u8] = include_bytes!("../../../resources/fonts/JetBrainsMono-Regular.ttf");

    #[test]
    fn a_device_that_is_lost_draws_nothing_and_ends_nothing() {
        let Ok(adapter) = adapter(None) else {
            eprintln!("SKIPPED: this machine has no graphics adapter");
            return;
        };
        let asked = adapter.request_device(&wgpu::DeviceDescriptor::default());
        let (device, queue) = ready(asked).expect("an adapter gives a device");
        let format = wgpu::TextureFormat::Bgra8Unorm;
        let mut pipeline = Pipeline::new(&device, &queue, format);
        let clock = Clock::new();
        let look: Arc<Look> = Look::new(Faces::regular(REGULAR), 14.0, Palette::NOCTURNE);
        let metrics = crate::sheet::metrics(&look, 1.0);
        let geometry = Geometry { scale: 1.0, left: 0, top: 0, metrics, cols: 20, rows: 4 };
        let pane = Pane {
            view: 1,
            surface: Surface::new(&clock),
            look,
            geometry,
            inset: (0, 0),
            cursor: CursorLook::Shown,
            preedit: None,
            over: Over::default(),
        };
        let primitive = Primitive { pane };
        let bounds = Rectangle::new(Point::ORIGIN, Size::new(200.0, 100.0));
        let viewport = Viewport::with_physical_size(Size::new(200, 100), 1.0);
        primitive.prepare(&mut pipeline, &device, &queue, &bounds, &viewport);
        assert_eq!(pipeline.views.len(), 1);
        pipeline.trim();
        assert_eq!(clock.counters().read().atlas.sizes, 1);

        device.destroy();
        let _ = device.poll(wgpu::PollType::wait_indefinitely());
        // Whether it is known by now or not: nothing panics, and the host still hears of frames.
        let before = primitive.pane.surface.counters().read().drawn;
        primitive.prepare(&mut pipeline, &device, &queue, &bounds, &viewport);
        pipeline.trim();
        assert_eq!(primitive.pane.surface.counters().read().drawn, before + 1);
        assert!(pipeline.device.is_lost());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let target = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: 200, height: 100, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let target = target.create_view(&wgpu::TextureViewDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &target,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            let _ = primitive.draw(&pipeline, &mut pass);
        }
        let _ = queue.submit([encoder.finish()]);
    }
}
