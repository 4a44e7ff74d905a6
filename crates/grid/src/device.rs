//! What becomes of the graphics device while the window runs.
//!
//! The device is the toolkit's. It may go away: a driver is updated, a card unplugged, a laptop wakes from
//! sleep. Nothing is drawn then and nothing panics; whoever listens to [`troubles`] makes a new one. With
//! this toolkit that is done by closing every window and opening them again, and where that fails, by
//! starting the program anew with `ICED_BACKEND=tiny-skia`, which draws on the processor.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use iced::futures::Stream;
use iced::futures::channel::mpsc;
use iced_wgpu::wgpu;

/// The most troubles that wait for a listener; later ones are left out.
const WAITING: usize = 4;

/// The longest reason told, in characters: drivers say long things.
const LONGEST: usize = 400;

/// In debug builds, the panes that each device draws before it goes away, to try out what becomes of that.
const TRIAL: &str = "MAESTRO_LOSE_DEVICE_AFTER";

/// Something is wrong with the graphics device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is gone, and draws nothing any more. Told once a device.
    Lost(String),
    /// It refused something, out of memory for one. It may still draw. Told once a device.
    Failed(String),
}

/// Whether a device was lost and no other was made since. The toolkit may end the program then: what shows a
/// picture (wgpu 27, `Surface::present`) panics where the device went away while it was drawn.
#[must_use]
pub fn is_lost() -> bool {
    LOST.load(Ordering::SeqCst)
}

static LOST: AtomicBool = AtomicBool::new(false);

/// What goes wrong from now on, told to the listener that asked last.
pub fn troubles() -> impl Stream<Item = Trouble> + Send + 'static {
    let (sender, receiver) = mpsc::channel(WAITING);
    *listener() = Some(sender);
    receiver
}

fn listener() -> MutexGuard<'static, Option<mpsc::Sender<Trouble>>> {
    static LISTENER: Mutex<Option<mpsc::Sender<Trouble>>> = Mutex::new(None);
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(trouble: impl FnOnce(String) -> Trouble, reason: &str) {
    let trouble = trouble(maestro_core::text::clean(reason, LONGEST));
    if let Some(sender) = listener().as_mut() {
        let _ = sender.try_send(trouble);
    }
}

/// Looks after one device.
#[derive(Debug)]
pub(crate) struct Watch {
    lost: Arc<AtomicBool>,
    drawn: AtomicU64,
}

impl Watch {
    /// Takes the device's complaints from here on. Without it the toolkit's default ends the process.
    pub(crate) fn new(device: &wgpu::Device) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        LOST.store(false, Ordering::SeqCst);
        let flag = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            let was_lost = flag.swap(true, Ordering::SeqCst);
            // A device that was given up on purpose is no trouble.
            if !was_lost && (reason != wgpu::DeviceLostReason::Destroyed || trial().is_some()) {
                LOST.store(true, Ordering::SeqCst);
                tell(Trouble::Lost, &message);
            }
        });
        let told = AtomicBool::new(false);
        let flag = Arc::clone(&lost);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            // What a lost device refuses is no news.
            if !flag.load(Ordering::SeqCst) && !told.swap(true, Ordering::SeqCst) {
                tell(Trouble::Failed, &error.to_string());
            }
        }));
        Self { lost, drawn: AtomicU64::new(0) }
    }

    /// A pane is about to be drawn. Where that is to be tried out, the device goes away under it.
    pub(crate) fn draws(&self, device: &wgpu::Device) {
        let Some(after) = trial() else { return };
        if self.drawn.fetch_add(1, Ordering::Relaxed) == after {
            device.destroy();
        }
    }

    /// Whether nothing can be drawn any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

/// See [`TRIAL`].
fn trial() -> Option<u64> {
    static AFTER: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var(TRIAL).ok().and_then(|number| number.parse().ok()));
    if cfg!(debug_assertions) { *AFTER } else { None }
}
