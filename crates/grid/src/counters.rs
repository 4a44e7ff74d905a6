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
