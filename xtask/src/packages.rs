//! What a new machine needs from its package manager.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::cargo;

/// Needed to build and to work at all: everything else is built from source or bundled.
pub const BASE: &[&str] = &["git", "ca-certificates"];

/// Opened by name at run time when there is a display: without them winit finds no X server, and wgpu
/// no Vulkan.
pub const DISPLAY: &[&str] = &[
    "libx11-6",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libwayland-client0",
    "libvulkan1",
    "mesa-vulkan-drivers",
];

/// For the tests with a real window, and with real agents cut off from the network.
pub const TESTS: &[&str] = &[
    "xvfb",
    "weston",
    "openbox",
    "xdotool",
    "xclip",
    "python3-xlib",
    "imagemagick",
    "python3",
    "iproute2",
    "util-linux",
    "procps",
];

/// For the fuzzer, which comes as source in C++.
pub const FUZZ: &[&str] = &["g++"];

/// Makes sure that packages are there: installs them as root, otherwise fails with the command that
/// does.
pub fn ensure(packages: &[&str]) -> Result<()> {
    if !cargo::has("dpkg-query") {
        eprintln!("xtask: this is no Debian; what it needs is: {}", packages.join(" "));
        return Ok(());
    }
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get install --yes --no-install-recommends {}", missing.join(" "));
    if !is_root() {
        bail!("some packages are missing; install them with: sudo {install}");
    }
    let mut apt = Command::new("apt-get");
    let _ = apt.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
    let _ = apt.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    if cargo::run(&mut apt).is_err() {
        // A fresh image has no lists of packages yet.
        cargo::run(Command::new("apt-get").arg("update").stdout(Stdio::null()))?;
        cargo::run(&mut apt)?;
    }
    Ok(())
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
