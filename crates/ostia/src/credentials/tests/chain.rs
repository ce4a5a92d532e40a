//! What a machine has of AWS's, by variables and files. AWS's library reads the environment of its process, so each case is
//! a process of its own: this program again, with one test.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::roles::assumed;
use super::*;

const SAYS: &str = "the credential is ";

/// Run by the others.
#[test]
#[ignore = "run by the others, with variables"]
fn child() {
    let mut settings = Texts::new();
    for name in ["aws_profile", "aws_role_arn"] {
        settings.extend(std::env::var(format!("TEST_{name}")).ok().map(|value| (name, value)));
    }
    let network = Network { guard: Guard::default(), transports: Transports::default() };
    let (log, _) = Log::new(Filter::default(), Format::Text);
    let credentials = Credentials::new(network, log);
    let auth = if std::env::var("TEST_google").is_ok() { Auth::Google } else { aws() };
    let source = source(&auth, Giver::Operator, &settings);
    let got = fetched(&credentials, source, Holder::Operator);
    let got = got.unwrap_or_else(|failure| format!("{} {failure}", failure.fault(true).status));
    std::io::Write::write_all(&mut std::io::stdout(), format!("\n{SAYS}{got}\n").as_bytes()).unwrap();
}

/// What the machine with these variables gives.
fn found(home: &TempDir, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "credentials::tests::chain::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env_clear()
        .env("HOME", home.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(SAYS));
    line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

/// What Google gives for this file, on a machine with keys of AWS's.
pub(super) fn of_google(path: &Path) -> String {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap()),
        ("TEST_google", "yes"),
    ];
    found(&home(&[]), &variables)
}

/// A home with these files.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = TempDir::new().unwrap();
    for (path, text) in files {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    home
}

/// Keys as the endpoint of containers gives them; the instance's metadata service has one field more.
fn document(id: &str) -> Answer {
    let ends = humantime::format_rfc3339_seconds(SystemTime::now() + Duration::from_secs(3600));
    Answer::json(format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t","Expiration":"{ends}","LastUpdated":"{ends}","Type":"AWS-HMAC"}}"#
    ))
}

const NO_IMDS: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

#[test]
fn the_environment() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "t"),
        ("AWS_REGION", "eu-west-1"),
    ];
    assert_eq!(found(&home(&[]), &variables), "AKENV s t");
}

#[test]
fn profile_files() {
    let home = home(&[(
        ".aws/credentials",
        "[default]\naws_access_key_id = AKDEF\naws_secret_access_key = s\n\
         [dev]\naws_access_key_id = AKDEV\naws_secret_access_key = s\n",
    )]);
    assert_eq!(found(&home, &[NO_IMDS]), "AKDEF s -");
    assert_eq!(found(&home, &[NO_IMDS, ("AWS_PROFILE", "dev")]), "AKDEV s -");
    assert_eq!(found(&home, &[NO_IMDS, ("TEST_aws_profile", "dev")]), "AKDEV s -");
}

#[test]
fn a_profile_that_assumes_a_role() {
    let server = Upstream::serve(|_| assumed("AssumeRole", "ASIA", Duration::from_secs(3600)));
    let home = home(&[
        (".aws/credentials", "[base]\naws_access_key_id = AKBASE\naws_secret_access_key = s\n"),
        (
            ".aws/config",
            "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\nexternal_id = x\n\
             region = eu-west-1\n",
        ),
    ]);
    let variables = [NO_IMDS, ("AWS_PROFILE", "work"), ("AWS_ENDPOINT_URL_STS", &server.url())];
    assert_eq!(found(&home, &variables), "ASIA assumed-secret assumed-token");
    assert_eq!(field(&server.last().text(), "ExternalId"), "x");
    assert!(server.last().header("authorization").unwrap().contains("Credential=AKBASE/"));
}

#[test]
fn a_role_by_what_the_machine_has() {
    let server = Upstream::serve(|_| assumed("AssumeRole", "ASIA", Duration::from_secs(3600)));
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("TEST_aws_role_arn", "arn:aws:iam::123456789012:role/r"),
        ("AWS_ENDPOINT_URL_STS", &server.url()),
        NO_IMDS,
    ];
    assert_eq!(found(&home(&[]), &variables), "ASIA assumed-secret assumed-token");
    assert!(server.last().header("authorization").unwrap().contains("Credential=AKENV/"));
}

#[test]
fn a_program() {
    let home = home(&[]);
    std::fs::create_dir_all(home.path().join(".aws")).unwrap();
    let script = r#"{"Version":1,"AccessKeyId":"AKPROC","SecretAccessKey":"s"}"#;
    std::fs::write(home.path().join("keys.json"), script).unwrap();
    let config =
        format!("[default]\ncredential_process = /bin/cat {}\n", home.path().join("keys.json").display());
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    assert_eq!(found(&home, &[NO_IMDS, ("PATH", "/bin:/usr/bin")]), "AKPROC s -");
}

#[test]
fn single_sign_on() {
    let server = Upstream::serve(|request| {
        assert!(request.target.starts_with("/federation/credentials?"), "{}", request.target);
        assert_eq!(request.header("x-amz-sso_bearer_token").as_deref(), Some("cached"));
        let ends = SystemTime::now() + Duration::from_secs(3600);
        let ends = ends.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        Answer::json(format!(
            r#"{{"roleCredentials":{{"accessKeyId":"AKSSO","secretAccessKey":"s","sessionToken":"t","expiration":{ends}}}}}"#
        ))
    });
    // The name of the file is the SHA-1 of the start's address.
    let home = home(&[
        (
            ".aws/config",
            "[default]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n\
             sso_account_id = 123456789012\nsso_role_name = r\nregion = eu-west-1\n",
        ),
        (
            ".aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json",
            r#"{"accessToken":"cached","expiresAt":"2099-01-01T00:00:00Z","startUrl":"https://example.awsapps.com/start","region":"eu-west-1"}"#,
        ),
    ]);
    assert_eq!(found(&home, &[NO_IMDS, ("AWS_ENDPOINT_URL_SSO", &server.url())]), "AKSSO s t");
}

#[test]
fn web_identity() {
    let server =
        Upstream::serve(|_| assumed("AssumeRoleWithWebIdentity", "ASIAWEB", Duration::from_secs(3600)));
    let home = home(&[("token", "of-the-cluster")]);
    let path = home.path().join("token");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_STS", &server.url()),
        NO_IMDS,
    ];
    assert_eq!(found(&home, &variables), "ASIAWEB assumed-secret assumed-token");
    assert_eq!(field(&server.last().text(), "WebIdentityToken"), "of-the-cluster");
}

#[test]
fn containers_and_pods() {
    let server = Upstream::serve(|request| {
        assert_eq!(request.header("authorization").as_deref(), Some("shown"));
        document("AKECS")
    });
    let url = format!("{}/v1/credentials", server.url());
    let home = home(&[("token", "shown")]);
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str());
    let shown = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "shown");
    assert_eq!(found(&home, &[full, shown, NO_IMDS]), "AKECS s t");
    // EKS pod identity puts the token into a file.
    let path = home.path().join("token");
    let file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path.to_str().unwrap());
    assert_eq!(found(&home, &[full, file, NO_IMDS]), "AKECS s t");
    assert_eq!(server.last().target, "/v1/credentials");
}

#[test]
fn the_instances_metadata_service() {
    let server = Upstream::serve(|request| match (request.method.as_str(), request.target.as_str()) {
        ("PUT", "/latest/api/token") => {
            Answer::with("text/plain", "session").header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        }
        ("GET", path) => {
            assert_eq!(request.header("x-aws-ec2-metadata-token").as_deref(), Some("session"));
            match path {
                "/latest/meta-data/placement/region" => Answer::with("text/plain", "eu-west-1"),
                path if path.trim_end_matches('/').ends_with("/security-credentials") => {
                    Answer::with("text/plain", "role")
                }
                path if path.trim_end_matches('/').ends_with("/security-credentials-extended") => {
                    Answer::empty().status(404)
                }
                path if path.ends_with("/security-credentials/role") => document("AKIMDS"),
                other => panic!("{other}"),
            }
        }
        other => panic!("{other:?}"),
    });
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url())];
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(found(&home(&[]), &variables), "AKIMDS s t");
}

#[test]
fn nothing_at_all() {
    let told = found(&home(&[]), &[NO_IMDS]);
    assert!(told.starts_with("401 AWS's credentials of this machine: "), "{told}");
    assert!(told.contains("AWS_ACCESS_KEY_ID"), "{told}");
    let told = found(&home(&[]), &[NO_IMDS, ("TEST_aws_profile", "missing")]);
    assert!(told.starts_with("401 the AWS profile `missing`: "), "{told}");
}
