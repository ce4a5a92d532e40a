//! `GET /`: what this is, and a first call that works here. A page for browsers, text for everybody else.
//!
//! It needs no key, so it tells nothing that is the operator's alone: providers by name where they have to be named, and models
//! only where every client is on the operator's own machine.

use std::fmt::Write as _;

use http::header::{self, HeaderName, HeaderValue};
use http::{Response, request};
use ostia_providers::Provider;

use crate::config::settings::Settings;
use crate::errors::reply;
use crate::inbound;
use crate::inbound::browser;
use crate::message::body::Body;

/// The name by which the gateway is called where the request tells none that can be repeated.
const HOST_USUAL: &str = "127.0.0.1:8787";
const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main/docs");
static CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");

/// The page, for a client whose URLs begin with this scheme.
pub fn answer(settings: &Settings, parts: &request::Parts, scheme: &str) -> Response<Body> {
    let base_url = format!("{scheme}://{}", host(parts));
    // A page of somebody else's learns nothing of this configuration.
    let is_own = browser::check(settings, parts).is_ok();
    let call = FirstCall::of(settings, is_own).command(&base_url);
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match accept.contains("text/html") {
        true => {
            let mut response = reply::html(html(&base_url, &call, settings.console));
            // It shows text, and can do nothing.
            let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
            response.headers_mut().insert(&CONTENT_SECURITY_POLICY, policy);
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
            response
        }
        false => reply::text(text(&base_url, &call, settings.console)),
    }
}

/// How the client calls the gateway, if that is a plain name or address.
pub fn host(parts: &request::Parts) -> String {
    inbound::plain_host(parts).unwrap_or(HOST_USUAL).to_owned()
}

/// A first call that works with a configuration, once what only the client has is put in.
#[derive(Debug)]
pub struct FirstCall<'s> {
    /// Who has to be named; `None` where the gateway knows whom to ask.
    provider: Option<&'s str>,
    model: &'s str,
    /// The client has to show a key of the gateway's.
    needs_gateway_key: bool,
    /// The client has to bring its own key for this provider.
    key_for: Option<&'s str>,
}

impl<'s> FirstCall<'s> {
    /// For this configuration. `tells`: whoever reads it may know the operator's models.
    pub fn of(settings: &'s Settings, tells: bool) -> FirstCall<'s> {
        let has_key =
            |provider: &&Provider| settings.keys.contains_key(&provider.id) || !provider.needs_key();
        let usual = settings.default_provider.as_deref().and_then(|id| settings.providers.get(id));
        let with_key = || settings.providers.iter().filter(|provider| provider.needs_key()).find(has_key);
        // A private server that the operator wrote down needs no key.
        let private = || {
            let configured = |provider: &&Provider| settings.configured.contains_key(&provider.id);
            settings.providers.iter().filter(configured).find(has_key)
        };
        let provider = usual.or_else(with_key).or_else(private);
        let id = provider.map_or("openai", |provider| provider.id.as_str());
        let listed = settings.configured.get(id).filter(|_| tells && settings.clients_are_operators());
        let listed = listed.and_then(|configured| configured.models.first());
        let lacks_key =
            settings.named.default.is_none() && provider.is_none_or(|provider| !has_key(&provider));
        let is_known = usual.is_some() || settings.named.default.is_some();
        FirstCall {
            provider: (!is_known).then_some(id),
            model: listed
                .map_or(if id == "openai" { "gpt-4o-mini" } else { "NAME-OF-A-MODEL" }, String::as_str),
            needs_gateway_key: !settings.gateway_keys.is_empty(),
            key_for: lacks_key.then_some(id),
        }
    }

    /// The command, at this base URL.
    pub fn command(&self, base_url: &str) -> String {
        let mut command =
            format!("curl {base_url}/v1/chat/completions \\\n    -H 'content-type: application/json' \\\n");
        let mut header = |name: &str, value: &str| {
            let _ = writeln!(command, "    -H '{name}: {value}' \\");
        };
        if self.needs_gateway_key {
            header("x-ostia-api-key", "YOUR-KEY-FOR-THIS-GATEWAY");
        }
        if let Some(provider) = self.provider {
            header("x-ostia-provider", provider);
        }
        if let Some(provider) = self.key_for {
            header("authorization", &format!("Bearer YOUR-{}-KEY", provider.to_uppercase()));
        }
        let model = serde_json::Value::from(self.model);
        let _ = write!(
            command,
            "    -d '{{\"model\": {model}, \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
        );
        command
    }
}

const WHAT: &str = "An AI gateway: applications speak OpenAI Chat Completions, OpenAI Responses, Anthropic Messages or Google \
                    generateContent, and it carries the call to any provider.";

fn text(base_url: &str, call: &str, has_console: bool) -> String {
    let console = if has_console { format!("Console    {base_url}/console\n") } else { String::new() };
    format!(
        "Ostia {}\n{WHAT}\n\n\
         Base URL   {base_url}/v1   for OpenAI's SDKs\n           {base_url}      for Anthropic's and Google's\n\
         Models     curl {base_url}/v1/models\n\
         {console}\
         Docs       {DOCS}\n\nTry:\n\n  {call}\n",
        env!("CARGO_PKG_VERSION"),
    )
}

fn html(base_url: &str, call: &str, has_console: bool) -> String {
    let console = if has_console { "<p><a href=\"/console\">Console</a></p>\n" } else { "" };
    let (base_url, call) = (escape(base_url), escape(call));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Ostia</title>\n\
         <style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }} \
         pre {{ background: #f4f4f4; color: #111; padding: 1rem; overflow: auto }}</style>\n\
         <h1>Ostia {}</h1>\n<p>{WHAT}</p>\n\
         <p>Base URL: <code>{base_url}/v1</code> for OpenAI's SDKs, <code>{base_url}</code> for Anthropic's and Google's. \
         Models: <code>GET /v1/models</code>.</p>\n\
         <p>A first call:</p>\n<pre>{call}</pre>\n{console}<p><a href=\"{DOCS}\">Documentation</a></p>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let call = |provider, needs_gateway_key, key_for| FirstCall {
            provider,
            model: "m",
            needs_gateway_key,
            key_for,
        };
        for (call, has, has_not) in [
            (call(None, false, None), vec!["\"model\": \"m\""], vec!["x-ostia", "authorization"]),
            (
                call(Some("groq"), true, None),
                vec!["x-ostia-provider: groq", "x-ostia-api-key"],
                vec!["authorization"],
            ),
            (
                call(Some("openai"), false, Some("openai")),
                vec!["authorization: Bearer YOUR-OPENAI-KEY"],
                vec!["x-ostia-api-key"],
            ),
        ] {
            let command = call.command("http://h");
            assert!(command.starts_with("curl http://h/v1/chat/completions \\\n"), "{command}");
            assert!(has.iter().all(|word| command.contains(word)), "{command}");
            assert!(!has_not.iter().any(|word| command.contains(word)), "{command}");
        }
    }

    #[test]
    fn nothing_of_a_page_is_markup() {
        let page = html("h", "<script>\"&'</script>", true);
        assert!(page.contains("<pre>&lt;script&gt;&quot;&amp;'&lt;/script&gt;</pre>"), "{page}");
    }
}
