//! What the program says and asks where it serves HTTPS, and the clients that people use.

use std::process::{Command, Output};

use super::authority::{Authority, TLS, start};
use crate::gateway::{Gateway, Setup};
use crate::http2::tools::program;

/// A subcommand in the gateway's own folder.
fn ostia(gateway: &Gateway, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostia"));
    let address = gateway.address.to_string();
    command
        .env_clear()
        .current_dir(gateway.folder())
        .args(args)
        .args(["--listen", &address])
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn the_start_the_probe_and_the_doctor_speak_https() {
    let authority = Authority::new("a");
    let gateway = start(&authority.until("gateway", 2001), "");
    let printed = gateway.says("expired");
    let url = format!("https://{}", gateway.address);
    assert!(printed.contains(&format!("listens on {url}")) && printed.contains("own.pem"), "{printed}");
    assert!(printed.contains(&format!("curl {url}/v1/")), "{printed}");
    // The certificate is believed because it is the one of the file, whatever is wrong with it.
    let output = ostia(&gateway, &["health"]);
    assert!(output.status.success() && said(&output).contains("ready"), "{output:?}");
    let output = ostia(&gateway, &["doctor", "--offline"]);
    assert!(
        said(&output).contains("a gateway runs there") && said(&output).contains("own.pem"),
        "{output:?}"
    );
    let output = ostia(&gateway, &["reload"]);
    assert!(output.status.success(), "{output:?}");
    // Somebody else's is not.
    let elsewhere = start(&authority.identity("other"), "");
    let output = Command::new(env!("CARGO_BIN_EXE_ostia"))
        .env_clear()
        .current_dir(elsewhere.folder())
        .args(["health", "--listen", &gateway.address.to_string()])
        .output()
        .unwrap();
    assert!(!output.status.success() && said(&output).contains("not the one in the file"), "{output:?}");
    // And plain HTTP is no way in.
    let plain = Setup::new().arg("health").arg("--listen").arg(&gateway.address.to_string()).run();
    assert!(!plain.status.success() && said(&plain).contains("https"), "{plain:?}");
}

#[test]
fn the_probe_shows_a_certificate_where_one_is_wanted() {
    let (authority, clients) = (Authority::new("a"), Authority::new("b"));
    let (own, client) = (authority.identity("gateway"), clients.identity("probe"));
    let gateway = Setup::new()
        .config(&TLS.replace(" }", ", client_ca: clients.pem }"))
        .file("own.pem", &own.cert)
        .file("own.key", &own.key)
        .file("clients.pem", &clients.pem)
        .file("probe.pem", &client.cert)
        .file("probe.key", &client.key)
        .start();
    let output = ostia(&gateway, &["health", "--client-cert", "probe.pem", "--client-key", "probe.key"]);
    assert!(output.status.success(), "{output:?}");
    let output = ostia(&gateway, &["health"]);
    assert!(!output.status.success() && said(&output).contains("--client-cert"), "{output:?}");
    let output = ostia(&gateway, &["doctor", "--offline"]);
    assert!(said(&output).contains("a gateway runs there"), "{output:?}");
}

#[test]
fn curl_and_openssl_agree() {
    let (Some(curl), Some(openssl)) = (program("curl"), program("openssl")) else { return };
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "");
    gateway.write("authority.pem", &authority.pem);
    let url = format!("https://localhost:{}/health", gateway.address.port());
    for (option, version) in [("--http2", "2"), ("--http1.1", "1.1"), ("--tls-max=1.2", "2")] {
        let output = Command::new(&curl)
            .current_dir(gateway.folder())
            .args(["--silent", "--show-error", "--cacert", "authority.pem", "--ipv4"])
            .args(option.split('='))
            .args(["--write-out", " %{http_version}", &url])
            .output()
            .unwrap();
        assert_eq!(said(&output), format!("{{\"status\":\"ok\"}} {version}"), "{option}: {output:?}");
    }
    for (option, is_served) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let output = Command::new(&openssl)
            .args([
                "s_client",
                option,
                "-cipher",
                "DEFAULT:@SECLEVEL=0",
                "-connect",
                &gateway.address.to_string(),
            ])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.success(), is_served, "{option}: {}", said(&output));
    }
}
