//! Files that are wrong, as `ostia check` tells of them.

use super::authority::{Authority, Identity};
use crate::gateway::Setup;

/// What is said of these files, and the exit code.
fn check(config: &str, files: &[(&str, &str)]) -> (String, Option<i32>) {
    let setup = files
        .iter()
        .fold(Setup::new().arg("check").config(config), |setup, (name, text)| setup.file(name, text));
    let output = setup.run();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code())
}

#[test]
fn each_problem_names_the_file_the_field_and_the_remedy() {
    let authority = Authority::new("a");
    let Identity { cert, key } = authority.identity("gateway");
    let (other, expired) = (authority.identity("other"), authority.until("gateway", 2001));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let whole = "tls: { cert: own.pem, key: own.key, client_ca: clients.pem }";
    let good: [(&str, &str); 3] = [("own.pem", &cert), ("own.key", &key), ("clients.pem", &authority.pem)];
    let with = |name: &str, text: &str| -> (String, Option<i32>) {
        let files = good.map(|(own, usual)| (own, if own == name { text } else { usual }));
        check(whole, &files)
    };
    assert_eq!(check(whole, &good).1, Some(0), "{}", check(whole, &good).0);
    for (name, text, field, words, hint) in [
        ("own.pem", "nothing", "tls.cert", "has no certificate in it", "BEGIN CERTIFICATE"),
        ("own.pem", garbage, "tls.cert", "has no certificate in it", "BEGIN CERTIFICATE"),
        ("own.pem", &other.cert, "tls.key", "does not belong to the first certificate in own.pem", "first"),
        ("own.key", &other.key, "tls.key", "does not belong to the first certificate in own.pem", "first"),
        ("own.key", "nothing", "tls.key", "has no private key in it", "BEGIN PRIVATE KEY"),
        ("own.key", encrypted, "tls.key", "is encrypted", "openssl pkey"),
        ("clients.pem", "", "tls.client_ca", "has no certificate in it", "BEGIN CERTIFICATE"),
    ] {
        let (said, code) = with(name, text);
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(&format!("error: {field}: ")) && said.contains(name), "{said}");
        assert!(said.contains(words) && said.contains(hint), "{said}");
        assert!(!said.contains("AAAA") && !said.contains(key.lines().nth(1).unwrap()), "{said}");
    }
    let missing: Vec<_> = good.into_iter().filter(|(name, _)| *name != "own.key").collect();
    let (said, code) = check(whole, &missing);
    assert!(code == Some(1) && said.contains("tls.key: the file own.key cannot be read"), "{said}");
    // All of it in one run.
    let (said, _) = check(whole, &[]);
    assert!(["own.pem", "own.key", "clients.pem"].iter().all(|name| said.contains(name)), "{said}");
    let (said, code) = check(whole, &[("own.pem", &expired.cert), ("own.key", &expired.key), good[2]]);
    assert_eq!(code, Some(0), "it is a warning: {said}");
    assert!(
        said.contains("warning: tls.cert: certificate 1 in own.pem expired ") && said.contains("days ago"),
        "{said}"
    );
    // A machine that has none of the secrets has no certificate either.
    let output = Setup::new().arg("check").arg("--no-secrets").config(whole).run();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn nothing_is_started_with_a_wrong_one() {
    let output =
        Setup::new().arg("serve").arg("--listen").arg("127.0.0.1:0").config(super::authority::TLS).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("tls.cert") && said.contains("tls.key"), "{said}");
}
