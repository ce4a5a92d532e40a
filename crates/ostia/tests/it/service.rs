//! The gateway under a service manager: what it tells, and a port that was opened for it.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::gateway::Setup;
use crate::wire::PATIENCE;

/// A manager's end of the line.
fn manager(name: &str) -> (UnixDatagram, String) {
    // Short, because the path of a socket is: the target folder may be deep.
    let path = std::env::temp_dir().join(format!("ostia-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    (socket, path.to_str().unwrap().to_owned())
}

fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let length = manager.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned()
}

#[test]
fn the_manager_is_told_when_it_is_ready_and_when_it_stops() {
    let (manager, path) = manager("notify");
    let mut gateway = Setup::new().env("NOTIFY_SOCKET", &path).start();
    assert_eq!(told(&manager), "READY=1");
    gateway.signal("HUP");
    let reloading = told(&manager);
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(&manager), "READY=1");
    gateway.terminate();
    assert_eq!(told(&manager), "STOPPING=1");
    assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
    std::fs::remove_file(path).unwrap();
}

/// A gateway that gets what `input` is as its descriptor 3, which takes a shell: our own code has no `unsafe`.
fn with_descriptor(input: OwnedFd, count: &str, args: &[&str]) -> Child {
    let mut command = Command::new("sh");
    command.arg("-c").arg("exec 3<&0 4<&0 0</dev/null; exec \"$0\" \"$@\"").arg(env!("CARGO_BIN_EXE_ostia"));
    command.args(args).env_clear().env("LISTEN_FDS", count).current_dir(Path::new("/"));
    command.stdin(Stdio::from(input)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn health(address: SocketAddr) -> bool {
    let mut health = Command::new(env!("CARGO_BIN_EXE_ostia"));
    health.args(["health", "--listen", &address.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    health.status().unwrap().success()
}

#[test]
fn a_port_that_was_opened_for_it_goes_before_every_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let elsewhere = ostia_testkit::dead_address().to_string();
    let mut gateway = with_descriptor(listener.into(), "1", &["serve", "--listen", &elsewhere]);
    // A client that comes before the gateway waits in the port: it was open all along.
    for _ in 0..20 {
        assert!(health(address), "every core takes connections");
    }
    assert!(!health(elsewhere.parse().unwrap()));
    assert!(Command::new("kill").arg(gateway.id().to_string()).status().unwrap().success());
    assert_eq!(gateway.wait().unwrap().code(), Some(0));
}

#[test]
fn whatever_else_is_handed_over_is_refused() {
    let said = |gateway: Child| {
        let output = gateway.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, text) = said(with_descriptor(listener().into(), "2", &[]));
    assert!(code == Some(1) && text.contains("several"), "{text}");
    let file = std::fs::File::open("/dev/null").unwrap();
    let (code, text) = said(with_descriptor(file.into(), "1", &[]));
    assert!(code == Some(1) && text.contains("service manager"), "{text}");
    // Whether clients need a key is asked of the address that was opened.
    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    let (code, text) = said(with_descriptor(open.into(), "1", &["--listen", "127.0.0.1:0"]));
    assert!(code == Some(1) && text.contains("without authentication"), "{text}");
}
