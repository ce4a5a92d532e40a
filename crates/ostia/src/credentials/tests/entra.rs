use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use tempfile::NamedTempFile;

use super::*;

/// A key in PEM, and what its signatures are checked with.
pub(super) fn rsa() -> (String, Vec<u8>) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    (pem("PRIVATE KEY", der.as_ref()), pair.public_key().as_ref().to_vec())
}

pub(super) fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

/// The header and the claims of an assertion, whose signature is right.
pub(super) fn verified(
    assertion: &str,
    algorithm: &'static aws_lc_rs::signature::RsaParameters,
    public: &[u8],
) -> [serde_json::Value; 2] {
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(algorithm, public).verify(text.as_bytes(), &signature).expect("a good signature");
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    [part(header), part(claims)]
}

/// A file that is gone with the value.
pub(super) fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn by_a_secret() {
    let server = Upstream::serve(|_| token("t", 3600));
    let (credentials, source) = entra(&server);
    assert_eq!(fetched(&credentials, source, Holder::Client(Owner::Nobody)).unwrap(), "t");
    let request = server.last();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/contoso/oauth2/v2.0/token"));
    assert_eq!(request.header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    let form = request.text();
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("client_secret", "top-secret"),
        ("scope", "https://cognitiveservices.azure.com/.default"),
    ] {
        assert_eq!(field(&form, name), value);
    }
}

#[test]
fn by_a_certificate() {
    let server = Upstream::serve(|_| token("t", 3600));
    let (key, public) = rsa();
    let settings = vec![
        ("azure_entra_tenant_id", "contoso".to_owned()),
        ("azure_entra_client_id", "app".to_owned()),
        ("azure_entra_client_certificate", key + &pem("CERTIFICATE", b"a certificate")),
        ("azure_entra_scope", "https://ai.azure.com/.default".to_owned()),
    ];
    let credentials = on(texts(&[("AZURE_AUTHORITY_HOST", &server.url())]));
    let source = source(&Auth::Azure, Giver::Operator, &settings);
    assert_eq!(fetched(&credentials, source, Holder::Operator).unwrap(), "t");
    let form = server.last().text();
    assert_eq!(field(&form, "scope"), "https://ai.azure.com/.default");
    assert_eq!(
        field(&form, "client_assertion_type"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let assertion = field(&form, "client_assertion");
    let [header, claims] = verified(&assertion, &RSA_PSS_2048_8192_SHA256, &public);
    assert_eq!(header["alg"], "PS256");
    // The SHA-256 of `a certificate`.
    assert_eq!(header["x5t#S256"], "gazXYhQPppKhQoItL75NxvVLyqUB9oqzflru0Lr-TZk");
    assert_eq!((&claims["iss"], &claims["sub"]), (&"app".into(), &"app".into()));
    assert_eq!(claims["aud"], format!("{}/contoso/oauth2/v2.0/token", server.url()));
    assert!(claims["exp"].as_u64() > claims["nbf"].as_u64());
}

#[test]
fn a_certificate_that_is_none() {
    let server = Upstream::serve(|_| token("t", 3600));
    let check = |pem: String, word: &str| {
        let settings = vec![
            ("azure_entra_tenant_id", "contoso".to_owned()),
            ("azure_entra_client_id", "app".to_owned()),
            ("azure_entra_client_certificate", pem),
        ];
        let credentials = on(texts(&[("AZURE_AUTHORITY_HOST", &server.url())]));
        let source = source(&Auth::Azure, Giver::Operator, &settings);
        let failure = fetched(&credentials, source, Holder::Operator).unwrap_err();
        assert!(failure.words.contains(word), "{failure}");
    };
    check(rsa().0, "no certificate");
    check(pem("CERTIFICATE", b"x"), "no RSA key");
    check(pem("CERTIFICATE", b"x") + &pem("PRIVATE KEY", b"x"), "no RSA key");
    assert_eq!(server.count(), 0);
}

fn managed(variables: Texts, settings: &[(&'static str, &str)]) -> String {
    let source = source(&Auth::Azure, Giver::Operator, &texts(settings));
    fetched(&on(variables), source, Holder::Operator).unwrap()
}

#[test]
fn by_the_machines_identity() {
    let server = Upstream::serve(|_| {
        Answer::json(r#"{"access_token":"m","expires_in":"86399","expires_on":"1","token_type":"Bearer"}"#)
    });
    let imds = texts(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &server.url())]);
    let one = [("azure_auth_mode", "managed"), ("azure_managed_client_id", "c/1")];
    assert_eq!(managed(imds.clone(), &one), "m");
    let request = server.last();
    assert_eq!(request.header("metadata").as_deref(), Some("true"));
    assert_eq!(
        request.target,
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom&client_id=c%2F1"
    );
    // Without anything else it is what the machine has.
    assert_eq!(managed(imds, &[]), "m");
    let app_service = vec![
        ("IDENTITY_ENDPOINT", format!("{}/msi/token", server.url())),
        ("IDENTITY_HEADER", "shown".to_owned()),
    ];
    assert_eq!(managed(app_service, &[("azure_auth_mode", "managed")]), "m");
    let request = server.last();
    assert_eq!(request.header("x-identity-header").as_deref(), Some("shown"));
    assert!(request.target.starts_with("/msi/token?api-version=2019-08-01&resource="), "{}", request.target);
}

/// App Service says when a token ends, and not how long it holds.
#[test]
fn an_end_in_place_of_a_life() {
    let check = |ends: u64, holds: bool| {
        let server = Upstream::serve(move |_| {
            Answer::json(format!(r#"{{"access_token":"m","expires_on":"{ends}","token_type":"Bearer"}}"#))
        });
        let credentials = on(texts(&[("IDENTITY_ENDPOINT", &server.url()), ("IDENTITY_HEADER", "shown")]));
        let source = source(&Auth::Azure, Giver::Operator, &Texts::new());
        assert_eq!(fetched(&credentials, source, Holder::Operator).is_ok(), holds, "{ends}");
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    check(now + 3600, true);
    check(now - 3600, false);
    check(u64::MAX, true);
}

#[test]
fn by_the_workloads_token() {
    let server = Upstream::serve(|_| token("w", 3600));
    let shown = file("cluster-token\n");
    let variables = vec![
        ("AZURE_AUTHORITY_HOST", server.url()),
        ("AZURE_TENANT_ID", "contoso".to_owned()),
        ("AZURE_CLIENT_ID", "pod".to_owned()),
        ("AZURE_FEDERATED_TOKEN_FILE", shown.path().display().to_string()),
    ];
    for settings in [&[("azure_auth_mode", "workload")][..], &[]] {
        assert_eq!(managed(variables.clone(), settings), "w");
        let form = server.last().text();
        assert_eq!(field(&form, "client_assertion"), "cluster-token");
        assert_eq!(field(&form, "client_id"), "pod");
    }
    let settings = [("azure_auth_mode", "workload"), ("azure_workload_client_id", "other")];
    assert_eq!(managed(variables.clone(), &settings), "w");
    assert_eq!(field(&server.last().text(), "client_id"), "other");
    shown.close().unwrap();
    let source = source(&Auth::Azure, Giver::Operator, &texts(&settings));
    let failure = fetched(&on(variables), source.clone(), Holder::Operator).unwrap_err();
    assert!(failure.words.contains("cannot be read"), "{failure}");
    let failure = fetched(&on(Texts::new()), source, Holder::Operator).unwrap_err();
    assert!(failure.words.contains("AZURE_TENANT_ID"), "{failure}");
}

#[test]
fn by_the_environment() {
    let server = Upstream::serve(|_| token("e", 3600));
    let variables = texts(&[
        ("AZURE_AUTHORITY_HOST", &server.url()),
        ("AZURE_TENANT_ID", "contoso"),
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_CLIENT_SECRET", "of the environment"),
    ]);
    assert_eq!(managed(variables, &[]), "e");
    assert_eq!(field(&server.last().text(), "client_secret"), "of the environment");
}
