//! HTTP/2 to servers of others: nginx and Node, which take few requests at a time and send GOAWAY now and then. None of the
//! calls fails, and none is sent twice.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use super::authority::Authority;
use crate::gateway::{Gateway, Setup};
use crate::programs;
use crate::wire::Ask;

const CLIENTS: usize = 16;
const ROUNDS: usize = 25;
/// nginx has to be told a port that is free. Nobody connects from this address, so that no connection takes it meanwhile.
const NGINX_ADDRESS: &str = "127.77.0.3";
/// How long a server may take to listen, on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A server that runs. It is killed when it is dropped.
struct Server {
    address: SocketAddr,
    child: Child,
    folder: PathBuf,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder with a certificate for this address.
fn folder(name: &str, authority: &Authority, address: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-http2-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pair = authority.give(&[address]);
    std::fs::write(folder.join("cert.pem"), pair.cert).unwrap();
    std::fs::write(folder.join("key.pem"), pair.key).unwrap();
    folder
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers")
}

fn nginx(authority: &Authority, behind: SocketAddr) -> Option<Server> {
    let program = programs::nginx()?;
    let folder = folder("nginx", authority, NGINX_ADDRESS);
    let address = TcpListener::bind((NGINX_ADDRESS, 0)).unwrap().local_addr().unwrap();
    let template = std::fs::read_to_string(servers().join("nginx_http2.conf")).unwrap();
    let conf = template.replace("OUTER", &address.to_string()).replace("INNER", &behind.to_string());
    std::fs::write(folder.join("nginx.conf"), conf).unwrap();
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder).args(["-c", "nginx.conf"]).stdin(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    until(|| TcpStream::connect(address).is_ok().then_some(()));
    Some(Server { address, child, folder, lines: Arc::default() })
}

fn node(authority: &Authority) -> Option<Server> {
    let program = programs::node()?;
    let folder = folder("node", authority, "127.0.0.1");
    let mut command = Command::new(program);
    command.arg(servers().join("node_http2.mjs")).arg(folder.join("cert.pem")).arg(folder.join("key.pem"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let (output, kept) = (child.stdout.take().unwrap(), lines.clone());
    thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line));
    });
    let address = until(|| lines.lock().unwrap().first()?.strip_prefix("listens on ")?.parse().ok());
    Some(Server { address, child, folder, lines })
}

fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + START_MAX;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for a server");
        thread::sleep(Duration::from_millis(20));
    }
}

fn gateway(server: &Server, authority: &Authority) -> Gateway {
    let gateway = Setup::new().config("workers: 2").start();
    gateway.write("ca.pem", &authority.pem);
    let row = format!(
        "{{ base_url: 'https://{}/v1', dialects: [openai_chat], auth: none, http2: true, tls: {{ ca: ca.pem }} }}",
        server.address
    );
    gateway.write("ostia.yaml", &format!("workers: 2\nproviders: {{ own: {row} }}\n"));
    assert!(gateway.reload().status.success(), "{}", gateway.printed());
    gateway
}

/// All clients at once, each with its calls one after the other. The ids of the calls.
fn call(gateway: &Gateway, has_id: bool) -> BTreeSet<String> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut ids = Vec::new();
                    for round in 0..ROUNDS {
                        let (id, streams) = (format!("id-{client}-{round}"), round % 3 == 0 && has_id);
                        let body = format!(
                            r#"{{"model":"m","stream":{streams},"messages":[{{"role":"user","content":"{id}"}}]}}"#
                        );
                        let ask = Ask::post("/v1/chat/completions", body).header("x-ostia-provider", "own");
                        let reply = ask.to(gateway);
                        assert!(reply.status == 200 && reply.whole, "{id}: {} {}", reply.status, reply.text());
                        assert!(!has_id || reply.text().contains(&format!("\"{id}\"")), "{id}: {}", reply.text());
                        assert!(!streams || reply.text().contains("[DONE]"), "{id}: {}", reply.text());
                        ids.push(id);
                    }
                    ids
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn nginx_with_few_requests_for_each_connection() {
    let (upstream, authority) = (Upstream::always(Answer::json(openai::chat("x"))), Authority::new());
    let Some(server) = nginx(&authority, upstream.address()) else { return };
    let gateway = gateway(&server, &authority);
    let ids = call(&gateway, false);
    assert_eq!(ids.len(), CLIENTS * ROUNDS);
    let read: Vec<String> = upstream.requests().iter().map(|request| request.text()).collect();
    assert_eq!(read.len(), ids.len(), "each was read once");
    for id in &ids {
        assert_eq!(read.iter().filter(|body| body.contains(&format!("\"{id}\""))).count(), 1, "{id}");
    }
}

#[test]
fn node_with_few_requests_for_each_connection() {
    let authority = Authority::new();
    let Some(server) = node(&authority) else { return };
    let gateway = gateway(&server, &authority);
    let ids = call(&gateway, true);
    assert_eq!(ids.len(), CLIENTS * ROUNDS);
    // Its words are read by another thread.
    let words = || server.lines.lock().unwrap().iter().filter(|line| line.starts_with("id-")).count();
    until(|| (words() >= ids.len()).then_some(()));
    let lines = server.lines.lock().unwrap();
    let read: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("id-")).collect();
    assert_eq!(read.len(), ids.len(), "each was read once");
    let ports: BTreeSet<&str> = read.iter().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    assert!(ports.len() > 10 && ports.len() < ids.len() / 3, "{} connections", ports.len());
}
