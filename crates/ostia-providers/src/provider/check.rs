//! What is wrong with a row.

use std::collections::BTreeMap;
use std::fmt::Display;

use http::Uri;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use ostia_dialect::Api;

use super::{BaseUrlFor, Provider, RowProblem};
use crate::addresses::{Addresses, is_label};
use crate::family::Family;
use crate::row::{AddressesRow, ApiPath, BodyEdits, OauthRow, PathRow, Unless};
use crate::settings::{self, Setting, SettingKind, SettingRow};
use crate::{Auth, Oauth, Quirks, Row};

/// Collects what is wrong with one row.
pub(super) struct Check<'a> {
    id: &'a str,
    /// Where in the row the fields are: empty, or of a family with a dot.
    inside: String,
    pub(super) problems: Vec<RowProblem>,
}

impl<'a> Check<'a> {
    pub(super) fn new(id: &'a str) -> Check<'a> {
        Check { id, inside: String::new(), problems: Vec::new() }
    }

    /// The provider of a row, but for its families. With problems it is not to be used.
    pub(super) fn row(&mut self, row: Row) -> Provider {
        self.prefix("prefix", &row.prefix);
        self.prefix("pass_prefix", row.pass_prefix.as_deref().unwrap_or_default());
        row.unprefixed.iter().for_each(|beginning| self.unprefixed(beginning));
        row.poll_hosts.iter().for_each(|end| self.poll_host(end));
        self.auth(&row.auth);
        self.key_env(&row.key_env);
        self.quirks(&row.quirks);
        let settings = self.settings(row.settings);
        if let Some(name) = row.model_setting.as_ref().filter(|name| !settings.contains_key(*name)) {
            self.problem("model_setting", format_args!("{name:?} is none of the row's settings"));
        }
        let base_url = self.base_url("base_url", row.base_url.as_deref(), row.local, &settings);
        let base_urls = self.base_urls(&row.base_urls, row.local, &settings);
        let apis = self.apis(&row.dialects);
        let paths = self.paths(row.paths, &apis, &settings);
        let body = self.body(row.body, &apis);
        let own_clients = self.own_clients(row.own_clients, &apis);
        let by_chat = self.by_chat(row.by_chat);
        let ended = self.ended(row.ended);
        let headers = self.headers("headers", &row.headers, &row.auth);
        let oauth = row.oauth.map(|oauth| self.oauth(oauth));
        let addresses = self.addresses(row.addresses);
        Provider {
            id: self.id.to_owned(),
            otel: row.otel.unwrap_or_else(|| self.id.to_owned()),
            name: row.name.unwrap_or_else(|| self.id.to_owned()),
            base_url,
            base_urls,
            settings,
            model_setting: row.model_setting,
            pass_prefix: row.pass_prefix.unwrap_or_else(|| row.prefix.clone()),
            prefix: row.prefix,
            unprefixed: row.unprefixed,
            apis,
            auth: row.auth,
            oauth,
            key_env: row.key_env,
            headers,
            hosts: BTreeMap::new(),
            paths,
            body,
            own_clients,
            by_chat,
            quirks: row.quirks,
            docs: row.docs,
            retired: row.retired,
            ended,
            local: row.local,
            poll_hosts: row.poll_hosts,
            addresses,
            answer_cache: row.answer_cache.unwrap_or(true),
            aliases: row.aliases,
            families: Vec::new(),
        }
    }

    fn ended(&mut self, rows: BTreeMap<String, String>) -> BTreeMap<Api, String> {
        let mut ended = BTreeMap::new();
        for (name, page) in rows {
            if !page.starts_with("https://") {
                self.problem(format_args!("ended.{name}"), "must be the page about it");
            }
            match Api::from_name(&name) {
                Some(api) => {
                    ended.insert(api, page);
                }
                None => self.problem(format_args!("ended.{name}"), "is no dialect"),
            }
        }
        ended
    }

    fn addresses(&mut self, row: AddressesRow) -> Addresses {
        if row.fields.iter().any(String::is_empty) {
            self.problem("addresses.fields", "holds an empty text");
        }
        for beginning in &row.kept {
            let what = "must begin with / and not end with it";
            if !is_path(beginning) || beginning.ends_with('/') {
                self.problem("addresses.kept", format_args!("{beginning:?} {what}"));
            }
        }
        for host in &row.hosts {
            let labels: Vec<&str> = host.split('.').collect();
            // The last two are somebody's domain.
            let is_known = labels.len() > 2 && labels[labels.len() - 2..].iter().all(|label| is_label(label));
            if !is_known || !labels.iter().all(|label| *label == "*" || is_label(label)) {
                let what = "is no name of a host, such as `api.*.example.com`";
                self.problem("addresses.hosts", format_args!("{host:?} {what}"));
            }
        }
        let mut headers = Vec::new();
        for name in &row.headers {
            match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => headers.push(name),
                Err(_) => self.problem("addresses.headers", format_args!("{name:?} is no name of a header")),
            }
        }
        Addresses { fields: row.fields, headers, hosts: row.hosts, kept: row.kept }
    }

    /// A whole domain at least, so that nobody else has a name below it.
    fn poll_host(&mut self, end: &str) {
        if !end.contains('.') || !end.split('.').all(is_label) {
            self.problem(
                "poll_hosts",
                format_args!("{end:?} is no end of host names, such as `example.com`"),
            );
        }
    }

    /// The families of a row, each a provider of its own.
    pub(super) fn families(&mut self, row: &Row) -> Vec<Family> {
        let mut families = Vec::new();
        for (at, family) in row.families.iter().enumerate() {
            self.inside = format!("families[{at}].");
            if family.models.is_empty() && family.when.is_empty() {
                self.problem("models", "must name models, or `when` what settings it is for");
            }
            for name in family.when.keys().filter(|name| !row.settings.contains_key(*name)) {
                self.problem(format_args!("when.{name}"), "is none of the row's settings");
            }
            let over = self.row(family.over(row));
            families.push(family.clone().with(over));
        }
        self.inside.clear();
        families
    }

    /// What is at other hosts, each a provider of its own.
    pub(super) fn hosts(&mut self, row: &Row) -> BTreeMap<Api, Provider> {
        let mut hosts = BTreeMap::new();
        for (name, host) in &row.hosts {
            self.inside = format!("hosts.{name}.");
            let over = self.row(host.over(name, row));
            if let Some(api) = Api::from_name(name) {
                hosts.insert(api, over);
            }
        }
        self.inside.clear();
        hosts
    }

    fn settings(&mut self, rows: BTreeMap<String, SettingRow>) -> BTreeMap<String, Setting> {
        let mut checked = BTreeMap::new();
        for (name, row) in rows {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if name.is_empty() || name == "model" || !name.bytes().all(plain) {
                let what = "must be lower-case letters, digits and underscores, and not `model`";
                self.problem(format_args!("settings.{name}"), what);
            }
            let setting = match row {
                SettingRow::Value(value) => Setting { value: Some(value), ..Setting::default() },
                SettingRow::Whole(setting) => setting,
            };
            for value in setting.value.iter().chain(&setting.default) {
                if let Some(what) = setting.problem(value) {
                    self.problem(format_args!("settings.{name}"), what);
                }
            }
            self.env(&format!("settings.{name}.env"), &setting.env);
            let setting = setting.named(&name);
            if setting.headers.is_empty() {
                let what = "is no name that a header can have";
                self.problem(format_args!("settings.{name}.header"), what);
            }
            checked.insert(name, setting);
        }
        checked
    }

    fn base_urls(
        &mut self,
        rows: &BTreeMap<String, BTreeMap<String, String>>,
        local: bool,
        settings: &BTreeMap<String, Setting>,
    ) -> Vec<BaseUrlFor> {
        let mut checked = Vec::new();
        for (setting, urls) in rows {
            if !settings.contains_key(setting) {
                self.problem(format_args!("base_urls.{setting}"), "is none of the row's settings");
            }
            for (value, url) in urls {
                let field = format!("base_urls.{setting}.{value}");
                let url = self.base_url(&field, Some(url), local, settings).unwrap_or_default();
                checked.push(BaseUrlFor { setting: setting.clone(), value: value.clone(), url });
            }
        }
        checked
    }

    fn body(&mut self, rows: BTreeMap<String, BodyEdits>, apis: &[Api]) -> BTreeMap<Api, BodyEdits> {
        let mut checked = BTreeMap::new();
        for (name, edits) in rows {
            let lists = edits.lists.iter().map(|(header, list)| (header, Some(&list.field)));
            for (header, field) in lists.chain(edits.without_headers.iter().map(|header| (header, None))) {
                if HeaderName::from_lowercase(header.as_bytes()).is_err() {
                    let what = format_args!("{header:?} is no name of a header in small letters");
                    self.problem(format_args!("body.{name}"), what);
                }
                if field.is_some_and(String::is_empty) {
                    self.problem(format_args!("body.{name}.lists.{header}.field"), "is missing");
                }
            }
            match Api::from_name(&name).filter(|api| apis.contains(api)) {
                Some(api) => {
                    checked.insert(api, edits);
                }
                None => self.problem(format_args!("body.{name}"), "is not among the row's dialects"),
            }
        }
        checked
    }

    fn by_chat(&mut self, rows: BTreeMap<String, Vec<String>>) -> BTreeMap<Api, Vec<String>> {
        let mut checked = BTreeMap::new();
        for (name, models) in rows {
            if models.is_empty() || models.iter().any(String::is_empty) {
                self.problem(format_args!("by_chat.{name}"), "must name models, or \"*\" for all of them");
            }
            match Api::from_name(&name).filter(|api| api.by_chat().is_some()) {
                Some(api) => {
                    checked.insert(api, models);
                }
                None => {
                    let able = Api::ALL.iter().filter(|api| api.by_chat().is_some());
                    let able = able.map(|api| api.name()).collect::<Vec<_>>().join(", ");
                    self.problem(format_args!("by_chat.{name}"), format_args!("is not one of {able}"));
                }
            }
        }
        checked
    }

    fn own_clients(&mut self, rows: BTreeMap<String, Unless>, apis: &[Api]) -> BTreeMap<Api, Unless> {
        let others = apis.iter().filter(|api| api.dialect().is_some() && !rows.contains_key(api.name()));
        if !rows.is_empty() && others.count() == 0 {
            self.problem("own_clients", "leaves no dialect for the conversations of other clients");
        }
        let mut checked = BTreeMap::new();
        for (name, unless) in rows {
            match Api::from_name(&name).filter(|api| apis.contains(api)) {
                Some(api) => {
                    checked.insert(api, unless);
                }
                None => self.problem(format_args!("own_clients.{name}"), "is not among the row's dialects"),
            }
        }
        checked
    }

    fn problem(&mut self, field: impl Display, what: impl Display) {
        let (id, field) = (self.id.to_owned(), format!("{}{field}", self.inside));
        let message = what.to_string();
        self.problems.push(RowProblem { id, field, message });
    }

    pub(super) fn ids(&mut self, aliases: &[String]) {
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

    fn base_url(
        &mut self,
        field: &str,
        url: Option<&str>,
        local: bool,
        settings: &BTreeMap<String, Setting>,
    ) -> Option<String> {
        let url = url?;
        for name in settings::names(url) {
            match settings.get(name).map(|setting| setting.kind) {
                None => self.problem(field, format_args!("{{{name}}} is none of the row's settings")),
                Some(SettingKind::Url) if url == format!("{{{name}}}") => {}
                Some(SettingKind::Label) => {}
                Some(_) => {
                    let what = "must be a setting of kind label, or the whole URL one of kind url";
                    self.problem(field, format_args!("{{{name}}} {what}"));
                }
            }
        }
        let is_whole =
            settings.iter().any(|(name, own)| own.kind == SettingKind::Url && url == format!("{{{name}}}"));
        let filled = settings::fill(url, |_| Some("x"));
        if url.contains('@') {
            // Not told again: it may hold a password.
            self.problem(field, "must not hold a user or password");
        } else if let Some(what) = base_url_problem(&filled, local).err().filter(|_| !is_whole) {
            self.problem(field, format_args!("{url:?} {what}"));
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

    fn paths(
        &mut self,
        paths: BTreeMap<String, PathRow>,
        apis: &[Api],
        settings: &BTreeMap<String, Setting>,
    ) -> BTreeMap<Api, ApiPath> {
        let mut checked = BTreeMap::new();
        for (name, path) in paths {
            let path = match path {
                PathRow::One(whole) => ApiPath { whole, ..ApiPath::default() },
                PathRow::ByAnswer(path) => path,
            };
            for path in std::iter::once(&path.whole).chain(&path.stream) {
                self.path(&name, path, settings);
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

    fn path(&mut self, api: &str, path: &str, settings: &BTreeMap<String, Setting>) {
        if !is_path(&settings::fill(path, |_| Some("x"))) {
            let what = "must begin with / and have only characters that a URL has";
            self.problem(format_args!("paths.{api}"), format_args!("{path:?} {what}"));
        }
        for name in settings::names(path).filter(|name| *name != "model" && !settings.contains_key(*name)) {
            let what = format_args!("{{{name}}} is neither `model` nor one of the row's settings");
            self.problem(format_args!("paths.{api}"), what);
        }
    }

    fn auth(&mut self, auth: &Auth) {
        let (field, word) = match auth {
            Auth::Bearer | Auth::None | Auth::Google | Auth::Azure | Auth::Ibm | Auth::Oracle => return,
            Auth::Aws(aws) if !aws.key_header.is_empty() => ("auth.aws.key_header", &aws.key_header),
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
        self.env("key_env", names);
    }

    fn env(&mut self, field: &str, names: &[String]) {
        for name in names {
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
                let what =
                    "is no name of an environment variable; it must be like GROQ_API_KEY, and not the key";
                // Whoever put a key here should not find it in a log: only names are told.
                self.problem(field, what);
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
    path.starts_with('/') && path.chars().all(plain)
}

fn all_apis() -> String {
    Api::ALL.map(Api::name).join(", ")
}
