//! WebSockets go the way that every call goes.

use tokio_tungstenite::tungstenite::Message;

use super::authority::Authority;
use super::front::Front;
use super::proxy::{Proxy, Script};
use crate::gateway::Setup;
use crate::websockets::tools::{Client, Provider};

#[test]
fn through_a_proxy_to_a_server_that_would_rather_speak_http2() {
    let (authority, provider) = (Authority::new(), Provider::echo());
    let pair = authority.give(&["models.example"]);
    let front = Front::speaking(provider.address, &pair, None, &["h2", "http/1.1"]);
    let proxy = Proxy::new(Script::Connect(front.address));
    let config = format!(
        "upstream: {{ tls: {{ ca: ca.pem, system_roots: false }}, proxy: 'http://{}', http2: true }}\n\
         providers: {{ own: {{ base_url: 'https://models.example/v1', dialects: [openai_realtime], auth: none }} }}\n",
        proxy.address
    );
    let gateway = Setup::new().config(&config).file("ca.pem", &authority.pem).start();
    let (mut socket, _) = Client::new("/v1/realtime?model=m").header("x-ostia-provider", "own").to(&gateway);
    let message = Message::binary((0..=255).cycle().take(300_000).collect::<Vec<u8>>());
    socket.send(message.clone()).unwrap();
    assert!(socket.read().unwrap() == message);
    assert_eq!(proxy.lines(), ["CONNECT models.example:443 HTTP/1.1"]);
    let met = front.met();
    assert_eq!(met.len(), 1);
    assert_ne!(met[0].protocol.as_deref(), Some("h2"));
    let seen = provider.last();
    assert_eq!((seen.target.as_str(), seen.header("host")), ("/v1/realtime?model=m", Some("models.example")));
}
