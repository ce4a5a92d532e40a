//! The configuration of nginx, for each way of serving that it has too.

use std::net::SocketAddr;
use std::path::Path;

use super::{CERTIFICATE, KEY};
use crate::workloads::Serving;

/// As it comes with the repository.
const CONFIG: &str = include_str!("../../../../benches/nginx.conf");

/// The whole of it. `shared`: where the certificate is; `folder`: nginx's own.
pub(super) fn config(
    shared: &Path,
    folder: &Path,
    listen: SocketAddr,
    upstream: SocketAddr,
    serving: Serving,
) -> String {
    let (kind, shared) = (listens(serving), shared.display());
    let certificate = match serving {
        Serving::Tls => {
            format!("ssl_certificate {shared}/{CERTIFICATE}; ssl_certificate_key {shared}/{KEY};")
        }
        _ => String::new(),
    };
    let access_log = match serving {
        Serving::LogOff => "off".to_owned(),
        _ => format!("{}/nginx.access.log combined", folder.display()),
    };
    CONFIG
        .replace("{ACCESS_LOG}", &access_log)
        .replace("{CERTIFICATE}", &certificate)
        .replace("{FOLDER}", &folder.display().to_string())
        .replace("{LISTEN}", &format!("{listen}{kind}"))
        .replace("{UPSTREAM}", &upstream.to_string())
}

/// nginx 1.25 and later prefer `http2 on`, and take this too.
fn listens(serving: Serving) -> &'static str {
    match serving {
        Serving::Tls => " ssl http2",
        Serving::Http2 => " http2",
        Serving::Default
        | Serving::LogOff
        | Serving::Records
        | Serving::RecordsWithBodies
        | Serving::Reloading => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_filled_in() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 4000));
        let upstream = SocketAddr::from(([127, 0, 0, 1], 5000));
        let check = |serving: Serving, expected: &[&str]| {
            let filled = config(Path::new("/run/x"), Path::new("/run/x/own"), listen, upstream, serving);
            let code: Vec<&str> = filled.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
            let code = code.join("\n");
            for words in expected {
                assert!(code.contains(words), "{serving:?}: {words}\n{code}");
            }
            let names = ["{FOLDER}", "{LISTEN}", "{UPSTREAM}", "{ACCESS_LOG}", "{CERTIFICATE}"];
            assert!(!names.iter().any(|name| code.contains(name)), "{code}");
        };
        let log = "access_log /run/x/own/nginx.access.log combined;";
        check(Serving::Default, &["listen 127.0.0.1:4000 backlog", "server 127.0.0.1:5000;", log]);
        check(Serving::LogOff, &["access_log off;"]);
        check(Serving::Http2, &["listen 127.0.0.1:4000 http2 backlog", log]);
        check(
            Serving::Tls,
            &[
                "4000 ssl http2 backlog",
                "ssl_certificate /run/x/own.pem; ssl_certificate_key /run/x/own.key;",
            ],
        );
    }
}
