//! What drawing did and cost, for the debug overlay and the benchmarks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts since the clock was made. Read them at any time from any thread; they are independent of
/// each other.
#[derive(Debug, Default)]
pub struct Counters {
    frames: AtomicU64,
    requests: AtomicU64,
    redraws: AtomicU64,
    applied_frames: AtomicU64,
    applied_rows: AtomicU64,
    encoded_rows: AtomicU64,
    encode_nanos: AtomicU64,
    upload_nanos: AtomicU64,
    uploaded_bytes: AtomicU64,
    record_nanos: AtomicU64,
    glyphs: AtomicU64,
    sizes: AtomicU64,
    masks: (AtomicU64, AtomicU64),
    pictures: (AtomicU64, AtomicU64),
    atlas_bytes: AtomicU64,
    evictions: AtomicU64,
}

/// The counters at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Frames a window drew with a terminal in it.
    pub frames: u64,
    /// Redraws asked for.
    pub requests: u64,
    /// Redraws the runtime was told to do.
    pub redraws: u64,
    /// Frames that came from hosts.
    pub applied_frames: u64,
    /// Rows in those.
    pub applied_rows: u64,
    /// Rows turned into what is drawn.
    pub encoded_rows: u64,
    /// Processor time that took, rasterising new glyphs included.
    pub encoding: Duration,
    /// Processor time spent handing data to the graphics device.
    pub uploading: Duration,
    /// How much was handed over.
    pub uploaded_bytes: u64,
    /// Processor time spent recording what to draw.
    pub recording: Duration,
    /// Glyphs rasterised.
    pub glyphs: u64,
    /// The glyphs kept, as they were when the last frame ended.
    pub atlas: AtlasCounts,
    /// How often glyphs were given up because there were many.
    pub evictions: u64,
}

/// How full the atlas is, over all sizes of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtlasCounts {
    /// Sizes of type: each has two pages, one of masks and one of pictures.
    pub sizes: u64,
    /// Cells of masks taken, and how many there can be.
    pub masks: (u64, u64),
    /// Cells of pictures taken, and how many there can be.
    pub pictures: (u64, u64),
    /// Memory of all pages, on the processor's side; the graphics card has the same again.
    pub bytes: u64,
}

/// What one terminal cost, in all its views together. Independent counts, read from any thread.
#[derive(Debug, Default)]
pub struct SurfaceCounters {
    applied_frames: AtomicU64,
    applied_rows: AtomicU64,
    encoded_rows: AtomicU64,
    encode_nanos: AtomicU64,
    uploaded_bytes: AtomicU64,
    drawn: AtomicU64,
}

/// The counters of a terminal at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SurfaceCounts {
    /// Frames that came from the host.
    pub applied_frames: u64,
    /// Rows in those.
    pub applied_rows: u64,
    /// Rows turned into what is drawn.
    pub encoded_rows: u64,
    /// Processor time that took.
    pub encoding: Duration,
    /// Bytes handed to the graphics device, new glyphs not counted.
    pub uploaded_bytes: u64,
    /// How often it was drawn.
    pub drawn: u64,
}

impl SurfaceCounters {
    /// All of them now.
    #[must_use]
    pub fn read(&self) -> SurfaceCounts {
        SurfaceCounts {
            applied_frames: self.applied_frames.load(Relaxed),
            applied_rows: self.applied_rows.load(Relaxed),
            encoded_rows: self.encoded_rows.load(Relaxed),
            encoding: Duration::from_nanos(self.encode_nanos.load(Relaxed)),
            uploaded_bytes: self.uploaded_bytes.load(Relaxed),
            drawn: self.drawn.load(Relaxed),
        }
    }

    pub(crate) fn applied(&self, rows: usize) {
        add(&self.applied_frames, 1);
        add(&self.applied_rows, rows as u64);
    }

    pub(crate) fn encoded(&self, rows: usize, took: Duration) {
        add(&self.encoded_rows, rows as u64);
        add(&self.encode_nanos, nanos(took));
    }

    pub(crate) fn uploaded(&self, bytes: usize) {
        add(&self.uploaded_bytes, bytes as u64);
    }

    pub(crate) fn drawn(&self) {
        add(&self.drawn, 1);
    }
}

impl Counters {
    /// All of them now.
    #[must_use]
    pub fn read(&self) -> Counts {
        Counts {
            frames: self.frames.load(Relaxed),
            requests: self.requests.load(Relaxed),
            redraws: self.redraws.load(Relaxed),
            applied_frames: self.applied_frames.load(Relaxed),
            applied_rows: self.applied_rows.load(Relaxed),
            encoded_rows: self.encoded_rows.load(Relaxed),
            encoding: Duration::from_nanos(self.encode_nanos.load(Relaxed)),
            uploading: Duration::from_nanos(self.upload_nanos.load(Relaxed)),
            uploaded_bytes: self.uploaded_bytes.load(Relaxed),
            recording: Duration::from_nanos(self.record_nanos.load(Relaxed)),
            glyphs: self.glyphs.load(Relaxed),
            atlas: AtlasCounts {
                sizes: self.sizes.load(Relaxed),
                masks: (self.masks.0.load(Relaxed), self.masks.1.load(Relaxed)),
                pictures: (self.pictures.0.load(Relaxed), self.pictures.1.load(Relaxed)),
                bytes: self.atlas_bytes.load(Relaxed),
            },
            evictions: self.evictions.load(Relaxed),
        }
    }

    pub(crate) fn frame(&self) {
        add(&self.frames, 1);
    }

    pub(crate) fn requested(&self) {
        add(&self.requests, 1);
    }

    pub(crate) fn redraw_sent(&self) {
        add(&self.redraws, 1);
    }

    pub(crate) fn applied(&self, rows: usize) {
        add(&self.applied_frames, 1);
        add(&self.applied_rows, rows as u64);
    }

    pub(crate) fn encoded(&self, rows: usize, took: Duration, glyphs: u64) {
        add(&self.encoded_rows, rows as u64);
        add(&self.encode_nanos, nanos(took));
        add(&self.glyphs, glyphs);
    }

    pub(crate) fn uploaded(&self, bytes: usize, took: Duration) {
        add(&self.uploaded_bytes, bytes as u64);
        add(&self.upload_nanos, nanos(took));
    }

    pub(crate) fn atlas(&self, now: AtlasCounts) {
        self.sizes.store(now.sizes, Relaxed);
        for (pair, now) in [(&self.masks, now.masks), (&self.pictures, now.pictures)] {
            pair.0.store(now.0, Relaxed);
            pair.1.store(now.1, Relaxed);
        }
        self.atlas_bytes.store(now.bytes, Relaxed);
    }

    pub(crate) fn evicted(&self) {
        add(&self.evictions, 1);
    }

    pub(crate) fn recorded(&self, took: Duration) {
        add(&self.record_nanos, nanos(took));
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    let _ = counter.fetch_add(amount, Relaxed);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
