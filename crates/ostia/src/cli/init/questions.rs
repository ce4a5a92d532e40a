//! The questions of `ostia init`. An empty line takes what stands in brackets, and so does the end of the input.

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;

use super::{Choices, Chosen, parse};

/// Asks until the answers can be used.
pub(super) fn ask(
    defaults: Choices,
    asks_listen: bool,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Choices> {
    let Choices { listen, providers } = defaults;
    let known = if providers.is_empty() { "none" } else { &names(&providers) };
    let question = format!(
        "Which providers? Ids with spaces between them, ID=URL for a server of your own (`ostia providers` lists all)\n\
         [{known}] "
    );
    let providers = until_good(&question, providers, input, output, |line| {
        line.split([' ', ',']).filter(|word| !word.is_empty()).map(parse).collect()
    })?;
    let listen = match asks_listen {
        false => listen,
        true => {
            let question = format!(
                "Where do clients connect? 0.0.0.0:{} is for other machines too, and makes clients show a key\n[{listen}] ",
                listen.port()
            );
            until_good(&question, listen, input, output, address)?
        }
    };
    Ok(Choices { listen, providers })
}

fn names(providers: &[Chosen]) -> String {
    providers.iter().map(|chosen| chosen.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn address(line: &str) -> Result<SocketAddr, String> {
    line.parse().map_err(|_| format!("`{line}` is no address with a port, such as 127.0.0.1:8787."))
}

fn until_good<T>(
    question: &str,
    default: T,
    input: &mut impl BufRead,
    output: &mut impl Write,
    read: impl Fn(&str) -> Result<T, String>,
) -> io::Result<T> {
    loop {
        write!(output, "{question}")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(default);
        }
        match read(line.trim()) {
            Ok(answer) => return Ok(answer),
            Err(problem) => writeln!(output, "{problem}")?,
        }
    }
}
