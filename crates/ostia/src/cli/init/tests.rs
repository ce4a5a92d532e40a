#![allow(clippy::unwrap_used, clippy::panic)]

use ostia_config::Problem;

use super::*;

fn chosen(id: &str, base_url: Option<&str>) -> Chosen {
    Chosen { id: id.to_owned(), base_url: base_url.map(str::to_owned) }
}

#[test]
fn providers_are_named_with_or_without_an_address() {
    let check = |word: &str, expected: Result<Chosen, &str>| match (parse(word), expected) {
        (Ok(parsed), Ok(expected)) => assert_eq!(parsed, expected, "{word}"),
        (Err(problem), Err(part)) => assert!(problem.contains(part), "{word}: {problem}"),
        (parsed, _) => panic!("{word}: {parsed:?}"),
    };
    check("openai", Ok(chosen("openai", None)));
    check("@claude", Ok(chosen("anthropic", None)));
    check("openai=http://x/v1", Ok(chosen("openai", Some("http://x/v1"))));
    check("my-vllm=http://10.0.0.5:8000/v1", Ok(chosen("my-vllm", Some("http://10.0.0.5:8000/v1"))));
    check("opnai", Err("Did you mean `openai`?"));
    check("My vLLM=http://x", Err("cannot be an id"));
}

/// Every file that can come out is one that the gateway takes, with a value in every variable.
#[test]
fn what_is_written_can_be_read() {
    let all: Vec<Chosen> = Providers::builtin()
        .iter()
        .map(|provider| {
            let own = provider.base_url.is_none().then_some("https://models.example.com");
            chosen(&provider.id, own)
        })
        .collect();
    let own = vec![chosen("my-own", Some("http://10.0.0.5:8000/v1"))];
    for providers in [Vec::new(), all, own] {
        for listen in ["127.0.0.1:8787", "0.0.0.0:1", "[::1]:8787", "[::]:1"] {
            let listen: SocketAddr = listen.parse().unwrap();
            let text = template::render(&Choices { listen, providers: providers.clone() });
            let loaded = ostia_config::load(&text, &|_| Some("value".to_owned()));
            let loaded = loaded.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
            // Of a few built-in providers only the paths of their own are known.
            let is_known = |problem: &Problem| problem.message.starts_with("has no `dialects`");
            assert!(loaded.warnings.iter().all(is_known), "{:?}", loaded.warnings);
            let config = loaded.config;
            assert_eq!(config.listen, listen);
            assert_eq!(config.auth.keys.is_empty(), listen.ip().is_loopback(), "{text}");
            assert_eq!(config.providers.len(), providers.len());
            assert_eq!(config.default_provider, providers.first().map(|first| first.id.clone()));
        }
    }
}

/// What is only a comment would work too, if its mark were taken away.
#[test]
fn what_is_commented_out_can_be_read() {
    let choices =
        Choices { listen: LISTEN, providers: vec![chosen("openai", None), chosen("anthropic", None)] };
    let text = template::render(&choices);
    let (head, tail) = text.split_once("# timeouts:").unwrap();
    let tail: Vec<&str> = tail
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| !line.contains("A routing config"))
        .collect();
    let text = format!(
        "{}timeouts:{}",
        head.replace("# auth", "auth").replace("#   keys", "  keys"),
        tail.join("\n")
    );
    let loaded = ostia_config::load(&text, &|_| Some("value".to_owned()));
    let config = loaded.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).config;
    assert_eq!((config.auth.keys.len(), config.routes.configs.len()), (1, 1), "{text}");
    let defaults = ostia_config::Config::default();
    assert_eq!((config.timeouts, config.limits), (defaults.timeouts, defaults.limits));
}

#[test]
fn questions_take_answers_and_empty_lines() {
    let check = |said: &str, expected: Choices, words: &[&str]| {
        let defaults = Choices { listen: LISTEN, providers: vec![chosen("groq", None)] };
        let mut output = Vec::new();
        let choices = questions::ask(defaults, true, &mut said.as_bytes(), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert_eq!(choices, expected, "{said:?}");
        assert!(words.iter().all(|word| output.contains(word)), "{output}");
    };
    let groq = || vec![chosen("groq", None)];
    check("", Choices { listen: LISTEN, providers: groq() }, &["[groq]", "[127.0.0.1:8787]"]);
    check("\n0.0.0.0:80\n", Choices { listen: "0.0.0.0:80".parse().unwrap(), providers: groq() }, &[]);
    check(
        "opnai\nopenai, claude\nhere\n\n",
        Choices { listen: LISTEN, providers: vec![chosen("openai", None), chosen("anthropic", None)] },
        &["Did you mean `openai`?", "`here` is no address"],
    );
}

#[test]
fn what_is_missing_is_named() {
    let check = |listen: &str, set: &str, path: &str, words: &[&str], absent: &[&str]| {
        let choices = Choices { listen: listen.parse().unwrap(), providers: vec![chosen("openai", None)] };
        let text = template::next_steps(&choices, Path::new(path), &|name| name == set);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(absent.iter().all(|word| !text.contains(word)), "{text}");
    };
    check(
        "127.0.0.1:1",
        "",
        "ostia.yaml",
        &["export OPENAI_API_KEY=", "ostia doctor "],
        &["OSTIA_KEY", "--config"],
    );
    check("0.0.0.0:1", "OPENAI_API_KEY", "a.yaml", &["export OSTIA_KEY=", "--config a.yaml"], &["OPENAI"]);
    check("127.0.0.1:1", "OPENAI_API_KEY", "ostia.yaml", &["Wrote ostia.yaml"], &["export"]);
}
