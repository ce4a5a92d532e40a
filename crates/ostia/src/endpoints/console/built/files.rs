//! The console's files. Written by `cargo xtask console`: change their sources in `/console`.

use super::File;

pub(super) static FILES: [File; 1] = [
    File { path: "index.html", media: "text/html; charset=utf-8", packed: include_bytes!("index.html.gz") },
];
