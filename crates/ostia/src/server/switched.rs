//! A connection that has gone over from HTTP to another protocol, or a stream of one: what was the body of the answer serves it to its
//! end.

use std::future::poll_fn;

use bytes::Bytes;
use tokio::sync::watch;

use super::Phase;
use super::answering::Answer;
use crate::client::Client;
use crate::client::socket::Channel;

/// Serves it to its end. When the gateway stops, it goes on until open answers are cut.
pub async fn serve(
    mut answer: Answer,
    channel: Channel,
    unread: Bytes,
    client: &Client,
    phase: &mut watch::Receiver<Phase>,
) {
    answer.switch(channel, unread);
    if *phase.borrow() != Phase::Serving {
        answer.drain();
    }
    loop {
        tokio::select! {
            biased;
            () = poll_fn(|context| answer.poll_switched(context)) => return,
            Ok(()) = phase.changed() => {
                client.connection.is_draining.set(true);
                answer.drain();
                if *phase.borrow_and_update() == Phase::Cutting {
                    client.connection.cut();
                }
            }
        }
    }
}
