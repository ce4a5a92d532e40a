//! A provider: a row that was checked.

use crate::row::OauthRow;
use crate::{Auth, Oauth, Quirks, Row};
use http::Uri;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use ostia_dialect::{Api, Dialect};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Where a provider is, what it offers and how one talks to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Kebab-case name in configurations and reports (`together-ai`).
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `https://host/path` without a slash at the end; `None` where every user has their own.
    pub base_url: Option<String>,
    /// What stands between base URL and usual path: empty, or `/…` without a slash at the end.
    pub prefix: String,
    /// What stands there for paths that are handed on unread; see [`crate::endpoint::path_of_passed`].
    pub pass_prefix: String,
    /// Beginnings of such paths that have no prefix.
    pub unprefixed: Vec<String>,
    /// What it has, in order of preference, each once. Empty: reached through the proxy only.
    pub apis: Vec<Api>,
    /// Where the key goes.
    pub auth: Auth,
    /// Tokens that go as bearers all the same.
    pub oauth: Option<Oauth>,
    /// Environment variables that usually hold the key; the first that is set wins.
    pub key_env: Vec<String>,
    /// Headers that every request carries.
    pub headers: HeaderMap,
    /// Paths after the base URL of APIs that are not where they usually are; see [`crate::endpoint::path_of`].
    pub paths: BTreeMap<Api, String>,
    /// Differences from OpenAI.
    pub quirks: Quirks,
    /// The vendor's page about its API.
    pub docs: Option<String>,
    /// A private server: needs no key, and may be reached over plain http.
    pub local: bool,
    /// Other ids that mean this provider.
    pub aliases: Vec<String>,
}

impl Provider {
    /// Checks a row and makes it a provider.
    ///
    /// # Errors
    /// Every problem of the row.
    pub fn from_row(id: &str, row: Row) -> Result<Provider, Vec<RowProblem>> {
        let mut check = Check { id, problems: Vec::new() };
        check.ids(&row.aliases);
        check.prefix("prefix", &row.prefix);
        check.prefix("pass_prefix", row.pass_prefix.as_deref().unwrap_or_default());
        row.unprefixed.iter().for_each(|beginning| check.unprefixed(beginning));
        check.auth(&row.auth);
        check.key_env(&row.key_env);
        check.quirks(&row.quirks);
        let base_url = check.base_url(row.base_url.as_deref(), row.local);
        let apis = check.apis(&row.dialects);
        let paths = check.paths(row.paths, &apis);
        let headers = check.headers("headers", &row.headers, &row.auth);
        let oauth = row.oauth.map(|oauth| check.oauth(oauth));
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        Ok(Provider {
            id: id.to_owned(),
            name: row.name.unwrap_or_else(|| id.to_owned()),
            base_url,
            pass_prefix: row.pass_prefix.unwrap_or_else(|| row.prefix.clone()),
            prefix: row.prefix,
            unprefixed: row.unprefixed,
            apis,
            auth: row.auth,
            oauth,
            key_env: row.key_env,
            headers,
            paths,
            quirks: row.quirks,
            docs: row.docs,
            local: row.local,
            aliases: row.aliases,
        })
    }

    /// Whether the provider has this API.
    pub fn offers(&self, api: Api) -> bool {
        self.apis.contains(&api)
    }

    /// The conversation dialects that the provider speaks, best first; none where it does not converse.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> {
        self.apis.iter().filter_map(|api| api.dialect())
    }

    /// What is said of credentials like this one, if it is an OAuth token.
    pub fn oauth_of(&self, credential: &str) -> Option<&Oauth> {
        self.oauth.as_ref().filter(|oauth| credential.starts_with(&oauth.prefix))
    }

    /// Whether a request without a key is hopeless.
    pub fn needs_key(&self) -> bool {
        self.auth != Auth::None && !self.local
    }
}

/// Something wrong in a row. Shown as `id.field: what is wrong and what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The row.
    pub id: String,
    /// Where in the row: `quirks.limits.tools`. Empty for the row as a whole.
    pub field: String,
    /// What is wrong and what to do. It never repeats what could be a credential.
    pub message: String,
}

impl Display for RowProblem {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let joint = if self.field.is_empty() { "" } else { "." };
        write!(out, "{}{joint}{}: {}", self.id, self.field, self.message)
    }
}

/// Collects what is wrong with one row.
struct Check<'a> {
    id: &'a str,
    problems: Vec<RowProblem>,
}

impl Check<'_> {
    fn problem(&mut self, field: impl Display, what: impl Display) {
        let (id, field, message) = (self.id.to_owned(), field.to_string(), what.to_string());
        self.problems.push(RowProblem { id, field, message });
    }

    fn ids(&mut self, aliases: &[String]) {
        const RULE: &str = "must be lower-case letters and digits with single hyphens between";
        if !is_kebab(self.id) {
            self.problem("", format_args!("the id {RULE}"));
        }
        for alias in aliases {
            if !is_kebab(alias) || alias == self.id {
                self.problem("aliases", format_args!("{alias:?} {RULE}, and another than the id"));
            }
        }
    }

    fn base_url(&mut self, url: Option<&str>, local: bool) -> Option<String> {
        let url = url?;
        if url.contains('@') {
            // Not told again: it may hold a password.
            self.problem("base_url", "must not hold a user or password");
        } else if let Err(what) = base_url_problem(url, local) {
            self.problem("base_url", format_args!("{url:?} {what}"));
        }
        Some(url.trim_end_matches('/').to_owned())
    }

    fn prefix(&mut self, field: &str, prefix: &str) {
        if !prefix.is_empty() && (!is_path(prefix) || prefix.ends_with('/')) {
            self.problem(field, format_args!("{prefix:?} must begin with / and not end with it"));
        }
    }

    fn unprefixed(&mut self, beginning: &str) {
        if beginning.is_empty() {
            self.problem("unprefixed", "holds an empty text; leave out `prefix` if there is none");
        }
        self.prefix("unprefixed", beginning);
    }

    fn apis(&mut self, names: &[String]) -> Vec<Api> {
        let mut apis = Vec::new();
        for name in names {
            match Api::from_name(name) {
                None => {
                    self.problem("dialects", format_args!("{name:?} is none of {}", all_apis()));
                }
                Some(api) if apis.contains(&api) => {
                    self.problem("dialects", format_args!("{name} is there twice"));
                }
                Some(api) => apis.push(api),
            }
        }
        apis
    }

    fn paths(&mut self, paths: BTreeMap<String, String>, apis: &[Api]) -> BTreeMap<Api, String> {
        let mut checked = BTreeMap::new();
        for (name, path) in paths {
            if !is_path(&path) {
                let what = "must begin with / and have only characters that a URL has";
                self.problem(format_args!("paths.{name}"), format_args!("{path:?} {what}"));
            }
            match Api::from_name(&name).filter(|api| apis.contains(api)) {
                Some(api) => {
                    checked.insert(api, path);
                }
                None => self.problem(format_args!("paths.{name}"), "is not among the row's dialects"),
            }
        }
        checked
    }

    fn auth(&mut self, auth: &Auth) {
        let (field, word) = match auth {
            Auth::Bearer | Auth::None | Auth::Google | Auth::Azure => return,
            Auth::Aws(aws) => ("auth.aws.service", &aws.service),
            Auth::Scheme(scheme) => ("auth.scheme", scheme),
            Auth::Header(name) => ("auth.header", name),
            Auth::Query(parameter) => ("auth.query", parameter),
        };
        if HeaderName::from_bytes(word.as_bytes()).is_err() {
            self.problem(field, format_args!("{word:?} must be one plain word"));
        }
    }

    fn key_env(&mut self, names: &[String]) {
        for name in names {
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
                let what =
                    "is no name of an environment variable; it must be like GROQ_API_KEY, and not the key";
                // Whoever put a key here should not find it in a log: only names are told.
                self.problem("key_env", what);
            }
        }
    }

    fn oauth(&mut self, row: OauthRow) -> Oauth {
        if row.prefix.is_empty() {
            self.problem("oauth.prefix", "must say how the tokens begin, or every key is one");
        }
        Oauth { headers: self.headers("oauth.headers", &row.headers, &Auth::Bearer), prefix: row.prefix }
    }

    fn headers(&mut self, part: &str, headers: &BTreeMap<String, String>, auth: &Auth) -> HeaderMap {
        let mut checked = HeaderMap::new();
        for (name, value) in headers {
            let field = format!("{part}.{name}");
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                (Err(_), _) => self.problem(field, "is no name of a header"),
                (_, Err(_)) => self.problem(field, "has a value that no header can have"),
                (Ok(name), _) if name == AUTHORIZATION || auth.header() == Some(name.as_str()) => {
                    self.problem(field, "holds the key; a row has none, only `auth` and `key_env`");
                }
                (Ok(name), _) if FRAMING.contains(&name.as_str()) => {
                    self.problem(field, "is set by the HTTP connection itself");
                }
                (Ok(name), Ok(value)) => {
                    checked.insert(name, value);
                }
            }
        }
        checked
    }

    fn quirks(&mut self, quirks: &Quirks) {
        for (field, what) in quirks.problems() {
            self.problem(format_args!("quirks.{field}"), what);
        }
    }
}

/// Headers that belong to the connection and not to the request (RFC 9110, section 7.6.1), with those that only
/// whoever writes the body can know.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn base_url_problem(url: &str, local: bool) -> Result<(), &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is no URL; write https://host/path")?;
    let Some(scheme) = uri.scheme_str() else {
        return Err("needs a scheme; write https://host/path");
    };
    if uri.query().is_some() || url.contains('#') {
        return Err("must end before ? and #");
    }
    match scheme {
        "https" => Ok(()),
        "http" if local => Ok(()),
        "http" => Err("is plain http, which is for private servers; write https, or `local: true`"),
        _ => Err("must be https or http"),
    }
}

fn is_kebab(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    id.split('-').all(|word| !word.is_empty() && word.chars().all(plain))
}

fn is_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~:=&?%@+,".contains(c);
    path.starts_with('/') && path.replace("{model}", "model").chars().all(plain)
}

fn all_apis() -> String {
    Api::ALL.map(Api::name).join(", ")
}

#[cfg(test)]
mod tests;
