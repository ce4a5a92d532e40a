//! Recorded sessions of real providers, where they are there (`../shared/corpus/realtime` beside the repository, or
//! `OSTIA_TEST_REALTIME`): each frame of either side comes to the other as it was, in its order, and what the provider counted is what
//! is kept. They are no part of the repository: without them this test says so, and passes.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::tools::{Client, Provider, close_of};
use crate::gateway::Gateway;
use crate::wire::{Ask, wait_until};

/// Fewer would mean that the files are not read.
const TAPES_MIN: usize = 40;

/// One recorded session.
struct Tape {
    name: String,
    provider: String,
    /// Said by the client, or by the provider.
    frames: Vec<(bool, Value)>,
}

fn tapes() -> Option<Vec<Tape>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/realtime");
    let folder = std::env::var_os("OSTIA_TEST_REALTIME").map_or_else(beside, PathBuf::from);
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: there are no recordings at {}; set OSTIA_TEST_REALTIME", folder.display());
        return None;
    };
    let tapes: Vec<Tape> = files.flatten().filter_map(|file| tape(&file.path())).collect();
    assert!(tapes.len() >= TAPES_MIN, "{} in {}", tapes.len(), folder.display());
    Some(tapes)
}

fn tape(path: &Path) -> Option<Tape> {
    let mut told: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let frames = told["frames"].as_array_mut()?;
    let messages = frames.iter_mut().filter(|frame| frame["kind"] == "message");
    Some(Tape {
        name: path.file_stem()?.to_string_lossy().into_owned(),
        frames: messages.map(|frame| (frame["dir"] == "sent", frame["data"].take())).collect(),
        provider: told["provider"].as_str()?.to_owned(),
    })
}

impl Tape {
    /// Who speaks so, and where.
    fn front(&self) -> (&'static str, &'static str) {
        let speaks_google = self.frames.iter().any(|(_, data)| !data["setup"].is_null());
        match &*self.provider {
            "xai" => ("xai", "/v1/realtime?model=grok-voice-agent"),
            _ if speaks_google => {
                ("google", "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent")
            }
            _ => ("openai", "/v1/realtime?model=gpt-realtime"),
        }
    }

    /// Tokens read and written, as the provider counted them.
    fn counted(&self) -> (u64, u64) {
        let usages = self.frames.iter().filter_map(|(_, data)| data["response"].get("usage"));
        usages.fold((0, 0), |(read, written), usage| {
            let tokens = |name: &str| usage[name].as_u64().unwrap_or_default();
            (read + tokens("input_tokens"), written + tokens("output_tokens"))
        })
    }
}

#[test]
fn recorded_sessions_are_told_frame_by_frame() {
    let Some(tapes) = tapes() else { return };
    let gateway = Gateway::start();
    for tape in tapes {
        let frames: Vec<(bool, Message)> =
            tape.frames.iter().map(|(is_sent, data)| (*is_sent, Message::text(data.to_string()))).collect();
        let script = frames.clone();
        let provider = Provider::serve(move |mut socket| {
            for (is_sent, message) in &script {
                match is_sent {
                    true => assert_eq!(socket.read().unwrap(), *message),
                    false => socket.send(message.clone()).unwrap(),
                }
            }
            close_of(&mut socket);
        });
        let (id, path) = tape.front();
        let (mut socket, agreed) = Client::new(path).at(&provider, id).to(&gateway);
        for (is_sent, message) in frames {
            match is_sent {
                true => socket.send(message).unwrap(),
                false => assert_eq!(socket.read().unwrap(), message, "{}", tape.name),
            }
        }
        socket.close(None).unwrap();
        close_of(&mut socket);
        let counted = tape.counted();
        if counted != (0, 0) {
            let trace_id = agreed.headers()["x-ostia-trace-id"].to_str().unwrap();
            let ask = Ask::new("GET", &format!("/v1/explain/{trace_id}"));
            let ask = ask.header("authorization", "Bearer sk-client");
            let kept = || {
                let usage = &ask.to(&gateway).json()["usage"];
                ["prompt_tokens", "completion_tokens"].map(|name| usage[name].as_u64())
            };
            // It is over once both sides have been told.
            wait_until(&tape.name, || kept()[0].is_some());
            assert_eq!(kept(), [Some(counted.0), Some(counted.1)], "{}", tape.name);
        }
    }
}
