//! WebSockets over TLS.

use tokio_tungstenite::tungstenite::{Message, client};

use super::authority::{Authority, start};
use crate::websockets::tools::{Client, Provider, close, close_of};

#[test]
fn a_websocket_over_tls() {
    let (authority, provider) = (Authority::new("a"), Provider::echo());
    let gateway = start(&authority.identity("gateway"), "");
    for path in ["/v1/realtime?model=m", "/v1/responses"] {
        let stream = authority.client().offering(&["http/1.1"]).connect(&gateway).unwrap();
        let asked = Client::new(path).at(&provider, "openai").request("localhost");
        let (mut socket, _) = client(asked, stream).unwrap();
        if path == "/v1/responses" {
            socket.send(Message::text("{}")).unwrap();
            assert!(socket.read().unwrap().into_text().unwrap().contains("\"status\":400"));
        } else {
            let message = Message::binary((0..=255).cycle().take(300_000).collect::<Vec<u8>>());
            socket.send(message.clone()).unwrap();
            assert!(socket.read().unwrap() == message);
        }
        socket.close(close(1000, "bye")).unwrap();
        assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1000), "{path}");
    }
}
