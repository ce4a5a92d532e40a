//! `ostia reload`: how a gateway that runs on this machine is asked to read its configuration again, and says what came of it.
//!
//! The gateway listens on a socket of the system's own list of names (Linux: an abstract Unix socket), called after its
//! address. Such a socket needs no folder that can be written to and leaves no file behind, so that nothing is in the way of the
//! next start, and a container with a read-only root has it as well. Permissions of files do not hold for it: the gateway looks
//! at who calls, and serves its own user and root. Nothing but "reload" can be said. Where the system has no such names, there
//! is SIGHUP.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net;
use std::sync::mpsc::Sender;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Order, Report};
use crate::log::{Level, Log, Target};

/// What names of gateways begin with.
const PREFIX: &str = "ostia/";
/// The only word that is understood.
const RELOAD: &[u8] = b"reload\n";
/// What answers begin with.
const IN_FORCE: &str = "in force\n";
const REFUSED: &str = "refused\n";
/// How long the other side may take for a word.
const WORD_WITHIN: Duration = Duration::from_secs(5);
const STRANGERS_WORD_WITHIN: Duration = Duration::from_millis(100);
/// How long a configuration may take to be read: secrets may stand on a network drive.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 4 << 20;
/// Where Linux lists its Unix sockets.
const LIST: &str = "/proc/net/unix";

/// Lets `ostia reload` in. Where that is not possible there is SIGHUP.
pub fn hear(address: SocketAddr, orders: &Sender<Order>, log: &Log) {
    match listen(address) {
        Ok(listener) => drop(tokio::task::spawn_local(serve(listener, orders.clone()))),
        Err(error) => {
            let text = format!("`ostia reload` does not reach this gateway ({error}); SIGHUP does.");
            log.say(Level::Warn, Target::Server, text);
        }
    }
}

/// The socket of the gateway that listens on this address.
///
/// # Errors
/// The system has no such sockets, or somebody has taken the name.
fn listen(address: SocketAddr) -> io::Result<UnixListener> {
    let listener = net::UnixListener::bind_addr(&name(address)?)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

#[cfg(target_os = "linux")]
fn name(address: SocketAddr) -> io::Result<net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    net::SocketAddr::from_abstract_name(format!("{PREFIX}{address}"))
}

#[cfg(not(target_os = "linux"))]
fn name(_: SocketAddr) -> io::Result<net::SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no abstract sockets"))
}

/// Hands on what callers ask for, one after the other.
async fn serve(listener: UnixListener, orders: Sender<Order>) {
    loop {
        match listener.accept().await {
            // Whoever breaks off hears nothing.
            Ok((stream, _)) => drop(answer(stream, &orders).await),
            Err(_) => tokio::time::sleep(WORD_WITHIN).await,
        }
    }
}

async fn answer(mut stream: UnixStream, orders: &Sender<Order>) -> io::Result<()> {
    let caller = stream.peer_cred()?.uid();
    let report = match caller == geteuid().as_raw() || caller == 0 {
        true => obey(&mut stream, orders).await?,
        false => {
            // A socket that is closed with a word unread takes the answer with it. Nobody else takes up more of the gateway's time.
            let _ = timeout(STRANGERS_WORD_WITHIN, stream.read(&mut [0; RELOAD.len()])).await;
            refused("Only the user whose gateway this is, and root, may reload it.")
        }
    };
    let word = if report.is_in_force { IN_FORCE } else { REFUSED };
    let text = format!("{word}{}\n", report.text);
    timeout(WORD_WITHIN, stream.write_all(text.as_bytes())).await?
}

async fn obey(stream: &mut UnixStream, orders: &Sender<Order>) -> io::Result<Report> {
    let mut word = [0; RELOAD.len()];
    timeout(WORD_WITHIN, stream.read_exact(&mut word)).await??;
    if word.as_slice() != RELOAD {
        return Ok(refused("Only `reload` is understood here."));
    }
    let (asker, report) = oneshot::channel();
    orders.send(Order::Asked(asker)).map_err(io::Error::other)?;
    timeout(ANSWER_WITHIN, report).await?.map_err(io::Error::other)
}

fn refused(text: &str) -> Report {
    Report { is_in_force: false, text: text.to_owned() }
}

/// Asks a gateway to read its configuration again: the one that listens on this address, or the only one that there is.
///
/// # Errors
/// What is wrong with the configuration, or why nobody could be asked.
pub fn ask(address: Option<SocketAddr>) -> Result<String, String> {
    let address = match address {
        Some(address) => address,
        None => the_only_one(&running())?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = runtime.and_then(|runtime| runtime.block_on(ask_at(address)));
    let answer = asked
        .map_err(|error| format!("The gateway on {address} cannot be asked: {error}.\n{SIGNAL_INSTEAD}"))?;
    let answer = plain(&answer);
    match (answer.strip_prefix(IN_FORCE), answer.strip_prefix(REFUSED)) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Some(text)) => Err(text.to_owned()),
        (None, None) => Err(format!("The gateway on {address} did not say what came of it.")),
    }
}

const SIGNAL_INSTEAD: &str = "Does it run as you, on this machine and in this container? A signal does the same: kill -HUP PID; \
                              the gateway then says on its own terminal what came of it.";

async fn ask_at(address: SocketAddr) -> io::Result<String> {
    let stream = net::UnixStream::connect_addr(&name(address)?)?;
    stream.set_nonblocking(true)?;
    let mut stream = UnixStream::from_std(stream)?;
    let (own, theirs) = (geteuid().as_raw(), stream.peer_cred()?.uid());
    if own != theirs && own != 0 {
        let message = format!("it belongs to another user, whose number is {theirs}");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    stream.write_all(RELOAD).await?;
    let mut answer = String::new();
    let mut reading = stream.take(ANSWER_BYTES_MAX);
    timeout(ANSWER_WITHIN + WORD_WITHIN, reading.read_to_string(&mut answer)).await??;
    Ok(answer)
}

/// The addresses of all gateways of this machine, or of this container.
fn running() -> Vec<SocketAddr> {
    addresses(&std::fs::read_to_string(LIST).unwrap_or_default())
}

/// The addresses of gateways in the system's list of sockets, where an abstract name begins with `@`.
fn addresses(list: &str) -> Vec<SocketAddr> {
    let name = |line: &str| {
        let (_, name) = line.rsplit_once(" @")?;
        name.strip_prefix(PREFIX)?.parse().ok()
    };
    let mut found: Vec<SocketAddr> = list.lines().filter_map(name).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn the_only_one(running: &[SocketAddr]) -> Result<SocketAddr, String> {
    match running {
        [address] => Ok(*address),
        [] => Err(format!("No gateway is found.\n{SIGNAL_INSTEAD}")),
        several => {
            let all: Vec<String> =
                several.iter().map(|address| format!("  ostia reload --listen {address}")).collect();
            Err(format!("There are several gateways. Say which one:\n{}", all.join("\n")))
        }
    }
}

/// Without what could steer a terminal: root may ask a gateway of anybody's.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn gateways_are_found_in_the_list_of_sockets() {
        let list = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                    0000: 00000002 00000000 00010000 0001 01 12 /run/x.sock\n\
                    0000: 00000002 00000000 00010000 0001 01 13 @ostia/127.0.0.1:8787\n\
                    0000: 00000003 00000000 00000000 0001 03 14 @ostia/127.0.0.1:8787\n\
                    0000: 00000002 00000000 00010000 0001 01 15 @ostia/[::]:80\n\
                    0000: 00000002 00000000 00010000 0001 01 16 @ostia/x\n\
                    0000: 00000002 00000000 00010000 0001 01 17 @other\n";
        let found: Vec<String> = addresses(list).iter().map(SocketAddr::to_string).collect();
        assert_eq!(found, ["127.0.0.1:8787", "[::]:80"]);
    }

    #[test]
    fn one_gateway_needs_no_name() {
        let [one, other] = ["127.0.0.1:1", "127.0.0.1:2"].map(|text| text.parse().unwrap());
        assert_eq!(the_only_one(&[one]), Ok(one));
        assert!(the_only_one(&[]).unwrap_err().contains("kill -HUP"));
        assert!(the_only_one(&[one, other]).unwrap_err().contains("--listen 127.0.0.1:2"));
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\u{1b}[31m\r\nb\u{9b}c"), "a[31m\nbc");
    }
}
