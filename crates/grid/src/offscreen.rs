//! Drawing terminals without a window, on any graphics adapter, to measure what they cost.
//!
//! It is the pipeline of the window and nothing beside it: no toolkit, no display server, no pacing. So the
//! figures of two machines differ by their processors and adapters only.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use iced::{Rectangle, Size};
use iced_wgpu::graphics::Viewport;
use iced_wgpu::primitive::{Pipeline as _, Primitive as _};
use iced_wgpu::wgpu;
use maestro_core::id::TerminalId;
use maestro_core::screen::{Cell, Color as Ink, Frame, Modes, Row, Scroll, flags};

use crate::clock::{Clock, thread_time};
use crate::gpu::{Pipeline, Primitive};
use crate::look::Look;
use crate::pane::{CursorLook, Over, Pane};
use crate::sheet;
use crate::surface::Surface;
use crate::terminal::Geometry;

/// Frames before counting begins: the first ones draw glyphs and compile shaders.
const WARM_UP: u32 = 10;

/// The most terminals at once.
pub const MOST_PANES: u16 = 256;

/// The format that windows have where the toolkit chooses.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Bgra8Unorm;

/// What is drawn, and on what.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many terminals, at most [`MOST_PANES`].
    pub panes: u16,
    /// How many frames count.
    pub frames: u32,
    /// The size of each terminal in cells.
    pub size: maestro_core::screen::Size,
    /// How they look.
    pub look: Arc<Look>,
    /// Part of the adapter's name, in any case; the fastest kind there is when absent.
    pub adapter: Option<String>,
    /// What changes between two frames.
    pub change: Change,
}

/// What changes between two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Every cell of every terminal.
    Everything,
    /// One row of one terminal, as when somebody types.
    Row,
}

/// Why nothing could be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no adapter at all.
    #[error("there is no graphics adapter here, not even a software one")]
    NoAdapter,
    /// There is none of this name.
    #[error("no graphics adapter is called `{wanted}`: there are {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The names of what there is.
        known: Vec<String>,
    },
    /// The adapter gives no device.
    #[error("the graphics adapter gives no device: {0}")]
    NoDevice(String),
    /// So many cells are more pixels than the adapter can draw at once.
    #[error(
        "{}×{} pixels are more than the adapter's {most}×{most}: fewer panes, smaller ones or smaller \
         type fit", wanted.0, wanted.1
    )]
    TooLarge {
        /// The pixels that were needed.
        wanted: (u32, u32),
        /// The longest side the adapter can draw.
        most: u32,
    },
    /// The device was lost on the way.
    #[error("the graphics device was lost: {0}")]
    Lost(String),
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// The adapter's name.
    pub adapter: String,
    /// Its driver and that one's version.
    pub driver: String,
    /// The interface it was driven by: `vulkan`, `metal`, `dx12`, `gl`.
    pub backend: String,
    /// Whether the adapter is a program on the processor.
    pub software: bool,
    /// Pixels of the picture.
    pub pixels: (u32, u32),
    /// One for each frame that counts.
    pub frames: Vec<Sample>,
    /// Glyphs kept: slots taken and slots there can be, of the planes for text and for pictures.
    pub atlas: [(usize, usize); 2],
}

/// What one frame took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Processor time of turning rows into what is drawn.
    pub encoding: Duration,
    /// Processor time of handing it to the device.
    pub uploading: Duration,
    /// Processor time of recording what to draw.
    pub recording: Duration,
    /// Processor time of submitting that, which is the toolkit's and the driver's part.
    pub submitting: Duration,
    /// Time of the adapter for the pass, where it can tell.
    pub gpu: Option<Duration>,
    /// From the first row to the finished picture.
    pub wall: Duration,
    /// What was handed over.
    pub uploaded_bytes: u64,
    /// Glyphs drawn for the first time.
    pub glyphs: u64,
}

impl Sample {
    /// What is ours of the processor time: encoding, uploading, recording.
    #[must_use]
    pub fn ours(&self) -> Duration {
        self.encoding + self.uploading + self.recording
    }
}

/// Draws terminals and says what it cost. Takes as long as that takes: seconds on a software renderer.
///
/// # Errors
///
/// When there is no such adapter, or it cannot draw this.
pub fn measure(options: &Options) -> Result<Report, Error> {
    let adapter = adapter(options.adapter.as_deref())?;
    let info = adapter.get_info();
    let mut stage = Stage::new(&adapter, options)?;
    let frames = (0..WARM_UP.saturating_add(options.frames)).map(|_| stage.frame());
    let frames: Vec<Sample> = frames.collect::<Result<_, _>>()?;
    Ok(Report {
        adapter: info.name,
        driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
        backend: info.backend.to_string(),
        software: info.device_type == wgpu::DeviceType::Cpu,
        pixels: stage.pixels,
        frames: frames.into_iter().skip(WARM_UP as usize).collect(),
        atlas: stage.pipeline.fill(),
    })
}

/// What there is behind these interfaces.
fn adapters(backends: wgpu::Backends) -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(&wgpu::InstanceDescriptor {
        backends,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::default()
    });
    instance.enumerate_adapters(backends)
}

/// The adapter of that name, or the fastest kind there is.
pub(crate) fn adapter(name: Option<&str>) -> Result<wgpu::Adapter, Error> {
    // GL complains aloud where there is no display, and is asked only where nothing better is.
    let found = match wgpu::Backends::from_env() {
        Some(backends) => adapters(backends),
        None => [wgpu::Backends::PRIMARY, wgpu::Backends::GL]
            .into_iter()
            .map(adapters)
            .find(|found| !found.is_empty())
            .unwrap_or_default(),
    };
    let mut adapters = found;
    let known: Vec<String> = adapters
        .iter()
        .map(|adapter| {
            let info = adapter.get_info();
            format!("{} ({})", info.name, info.backend)
        })
        .collect();
    let wanted = name.map(str::to_lowercase);
    adapters.retain(|adapter| {
        let name = adapter.get_info().name.to_lowercase();
        wanted.as_ref().is_none_or(|wanted| name.contains(wanted))
    });
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    adapters.into_iter().next().ok_or_else(|| match name {
        Some(wanted) if !known.is_empty() => Error::Unknown { wanted: wanted.to_owned(), known },
        _ => Error::NoAdapter,
    })
}

/// A picture that terminals are drawn into.
struct Stage {
    device: wgpu::Device,
    queue: wgpu::Queue,
    target: wgpu::TextureView,
    pixels: (u32, u32),
    pipeline: Pipeline,
    panes: Vec<(Primitive, Rectangle)>,
    clock: Clock,
    timer: Option<Timer>,
    random: Random,
    change: Change,
    size: maestro_core::screen::Size,
    drawn: u32,
}

impl Stage {
    fn new(adapter: &wgpu::Adapter, options: &Options) -> Result<Self, Error> {
        let (device, queue) = ready(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("maestro off screen"),
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| Error::NoDevice(error.to_string()))?;
        let size = options.size.clamped();
        let metrics = sheet::metrics(&options.look, 1.0);
        let width = u32::from(size.cols) * metrics.width;
        let height = u32::from(size.rows) * metrics.height;
        let count = u32::from(options.panes.clamp(1, MOST_PANES));
        let across = f64::from(count).sqrt().ceil() as u32;
        let pixels = (across * width, count.div_ceil(across) * height);
        let most = device.limits().max_texture_dimension_2d;
        if pixels.0.max(pixels.1) > most {
            return Err(Error::TooLarge { wanted: pixels, most });
        }
        let clock = Clock::new();
        let pane = |number: u32| {
            let (left, top) = (number % across * width, number / across * height);
            let geometry = Geometry {
                scale: 1.0,
                left: left as i32,
                top: top as i32,
                metrics,
                cols: size.cols,
                rows: size.rows,
            };
            let pane = Pane {
                view: u64::from(number) + 1,
                surface: Surface::new(&clock),
                look: Arc::clone(&options.look),
                geometry,
                inset: (0, 0),
                cursor: CursorLook::Shown,
                preedit: None,
                over: Over::default(),
            };
            let [x, y, width, height] = [left, top, width, height].map(|pixels| pixels as f32);
            (Primitive { pane }, Rectangle { x, y, width, height })
        };
        let target = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("maestro off screen"),
            size: wgpu::Extent3d { width: pixels.0, height: pixels.1, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        Ok(Self {
            target: target.create_view(&wgpu::TextureViewDescriptor::default()),
            pixels,
            pipeline: Pipeline::new(&device, &queue, FORMAT),
            panes: (0..count).map(pane).collect(),
            clock: clock.clone(),
            timer: Timer::new(&device, &queue),
            random: Random(1),
            change: options.change,
            size,
            drawn: 0,
            device,
            queue,
        })
    }

    /// Changes what is shown, draws it and waits until it is drawn.
    fn frame(&mut self) -> Result<Sample, Error> {
        let whole = self.drawn == 0 || self.change == Change::Everything;
        for (pane, _) in &self.panes[..if whole { self.panes.len() } else { 1 }] {
            let rows = if whole { 0..self.size.rows } else { self.one_row() };
            let _ = pane.pane.surface.apply(noise(&mut self.random, self.size, rows, whole));
        }
        self.drawn += 1;
        let before = self.clock.counters().read();
        let began = Instant::now();
        let viewport = Viewport::with_physical_size(Size::new(self.pixels.0, self.pixels.1), 1.0);
        for (pane, bounds) in &self.panes {
            pane.prepare(&mut self.pipeline, &self.device, &self.queue, bounds, &viewport);
        }
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.pass(&mut encoder);
        if let Some(timer) = &self.timer {
            timer.read_into(&mut encoder);
        }
        let submitting = thread_time();
        let index = self.queue.submit([encoder.finish()]);
        let submitting = thread_time().saturating_sub(submitting);
        let lost = |error: wgpu::PollError| Error::Lost(error.to_string());
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: None };
        let _ = self.device.poll(wait).map_err(lost)?;
        let wall = began.elapsed();
        let after = self.clock.counters().read();
        self.pipeline.trim();
        let gpu = match &self.timer {
            Some(timer) => timer.took(&self.device).map_err(lost)?,
            None => None,
        };
        Ok(Sample {
            encoding: after.encoding - before.encoding,
            uploading: after.uploading - before.uploading,
            recording: after.recording - before.recording,
            submitting,
            gpu,
            wall,
            uploaded_bytes: after.uploaded_bytes - before.uploaded_bytes,
            glyphs: after.glyphs - before.glyphs,
        })
    }

    fn one_row(&self) -> std::ops::Range<u16> {
        let row = (self.drawn % u32::from(self.size.rows)) as u16;
        row..row + 1
    }

    /// All terminals in one pass, each clipped to its rectangle, as the toolkit does it.
    fn pass(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("maestro off screen"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &self.target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                    store: wgpu::StoreOp::Store,
                },
            })],
            timestamp_writes: self.timer.as_ref().map(Timer::writes),
            ..wgpu::RenderPassDescriptor::default()
        });
        for (pane, bounds) in &self.panes {
            let [x, y, width, height] =
                [bounds.x, bounds.y, bounds.width, bounds.height].map(|pixels| pixels as u32);
            pass.set_scissor_rect(x, y, width, height);
            let _ = pane.draw(&self.pipeline, &mut pass);
        }
    }
}

/// Asks the adapter when a pass began and ended.
struct Timer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    read: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
}

impl Timer {
    const SIZE: u64 = 16;

    fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Option<Self> {
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("maestro times"),
                size: Self::SIZE,
                usage: usage | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        Some(Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("maestro times"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            read: buffer(wgpu::BufferUsages::MAP_READ),
            period: f64::from(queue.get_timestamp_period()),
        })
    }

    fn writes(&self) -> wgpu::RenderPassTimestampWrites<'_> {
        wgpu::RenderPassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    fn read_into(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.read, 0, Self::SIZE);
    }

    /// How long the last pass took, once it is drawn; nothing where the driver tells nonsense.
    fn took(&self, device: &wgpu::Device) -> Result<Option<Duration>, wgpu::PollError> {
        let slice = self.read.slice(..);
        slice.map_async(wgpu::MapMode::Read, |_| {});
        let _ = device.poll(wgpu::PollType::wait_indefinitely())?;
        let ticks = {
            let bytes = slice.get_mapped_range();
            let tick = |at: usize| {
                let eight = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
                eight.map_or(0, |eight| u64::from_ne_bytes(*eight))
            };
            tick(8).checked_sub(tick(0))
        };
        self.read.unmap();
        Ok(ticks
            .filter(|ticks| *ticks > 0)
            .map(|ticks| Duration::from_secs_f64((ticks as f64 * self.period / 1e9).min(3600.0))))
    }
}

/// Waits for what is ready at once outside a browser.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

/// Rows of random letters in random colours; one cell in eight has a background.
fn noise(
    random: &mut Random,
    size: maestro_core::screen::Size,
    rows: std::ops::Range<u16>,
    full: bool,
) -> Frame {
    let mut cell = || {
        let bits = random.next();
        let bg = if bits >> 40 & 7 == 0 { Ink::indexed((bits >> 16) as u8) } else { Ink::DEFAULT };
        Cell {
            glyph: 33 + (bits >> 32 & 0xff) as u32 % 94,
            fg: Ink::rgb(bits as u8 | 64, (bits >> 8) as u8 | 64, 200),
            bg,
            flags: if bits >> 50 & 7 == 0 { flags::BOLD } else { 0 },
            extra: 0,
        }
    };
    let rows = rows
        .map(|place| {
            let cells = (0..size.cols).map(|_| cell()).collect();
            (place, Row { cells, ..Row::default() })
        })
        .collect();
    Frame {
        terminal: TerminalId(1),
        generation: 1,
        size,
        full,
        rows,
        cursor: None,
        modes: Modes::default(),
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: maestro_core::screen::Pointer::Default,
        flooding: false,
        input_seq: 0,
    }
}

/// Enough chance for pictures, and the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
