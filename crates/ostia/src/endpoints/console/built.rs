//! The console's files. Written by `cargo xtask console`: change their sources in `/console`.

use super::File;

#[rustfmt::skip]
pub(super) static FILES: [File; 4] = [
    File {
        path: "assets/console-Ces8F4Dj.css",
        media: "text/css; charset=utf-8",
        packed: include_bytes!("built/console.css.gz"),
    },
    File {
        path: "assets/console-CbtNX-6E.js",
        media: "text/javascript; charset=utf-8",
        packed: include_bytes!("built/console.js.gz"),
    },
    File {
        path: "index.html",
        media: "text/html; charset=utf-8",
        packed: include_bytes!("built/index.html.gz"),
    },
    File {
        path: "licenses.md",
        media: "text/plain; charset=utf-8",
        packed: include_bytes!("built/licenses.md.gz"),
    },
];
