//! Ollama's own chat as an upstream dialect (<https://docs.ollama.com/api/chat>).
//!
//! Its OpenAI-compatible API leaves out what is Ollama's own: the parameters of the runner in `options`, how long a model
//! stays loaded (`keep_alive`), thinking as a switch (`think`). Content is one string with images beside it, arguments of
//! calls are objects, a stream is JSON lines. There is one answer per call and no choice among tools.

mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;
