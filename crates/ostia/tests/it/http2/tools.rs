//! The same with the clients that people use.

use std::path::PathBuf;
use std::process::Command;

use crate::gateway::Gateway;

/// A program of this machine's; where there is none the rest of the test is left out.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[test]
fn curl_speaks_http2_without_tls() {
    let Some(curl) = program("curl") else { return };
    let gateway = Gateway::start();
    let url = format!("http://{}/health", gateway.address);
    for (option, version) in [("--http2-prior-knowledge", "2"), ("--http2", "1.1"), ("--http1.1", "1.1")] {
        let output = Command::new(&curl)
            .args(["--silent", "--show-error", option, "--write-out", " %{http_version}", &url])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.is_empty() && String::from_utf8_lossy(&output.stderr).contains("does not support") {
            continue;
        }
        assert_eq!(said, format!("{{\"status\":\"ok\"}} {version}"), "{option}: {output:?}");
    }
}

#[test]
fn curl_is_told_why_its_body_is_refused() {
    let Some(curl) = program("curl") else { return };
    let gateway = Gateway::with("limits: { body_bytes: 64KiB }");
    let url = format!("http://{}/v1/chat/completions", gateway.address);
    gateway.write("large", &" ".repeat(8 << 20));
    let output = Command::new(&curl)
        .current_dir(gateway.folder())
        .args(["--silent", "--http2-prior-knowledge", "--header", "content-type: application/json"])
        .args(["--data-binary", "@large", &url])
        .output()
        .unwrap();
    if String::from_utf8_lossy(&output.stderr).contains("does not support") {
        return;
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains("body_too_large"), "{output:?}");
}
