//! How connections are made, from the file and the files that it names.

use std::cell::RefCell;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use ostia_config::{Code, Config, Problem, Report, SecretRef, TlsFiles};
use secrecy::ExposeSecret as _;

use super::files::Files;
use super::lookup;
use crate::upstream::http2::Http2;
use crate::upstream::proxy::{Proxies, Proxy, PublicProxies};
use crate::upstream::tls::{Authorities, Identity, IdentityFault, Tls, Trust};
use crate::upstream::transport::{Transport, Transports};

/// Longest file of certificates or of a key, in bytes. What Debian trusts has some two hundred KiB.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// What stands in the place of a proxy where there shall be none.
const NONE: &str = "none";

/// All transports of a configuration. What is wrong with them goes into the report.
pub fn read(config: &Config, files: &RefCell<Files>, report: &mut Report) -> Transports {
    let mut reader = Reader { files, report };
    let upstream = &config.upstream;
    let tls = reader.tls("upstream", &upstream.tls, &upstream.tls);
    // A proxy sees no client certificate.
    let to_proxies = tls.clone();
    let proxies = match &upstream.proxy {
        Some(reference) => match reader.proxy(reference, &to_proxies) {
            Some(proxy) => public(Some(proxy.clone()), Some(proxy), "upstream.proxy"),
            None => Proxies::None,
        },
        None => reader.proxies_of_environment(&to_proxies),
    };
    let own = config.providers.iter().filter(|(_, entry)| entry.transport != Default::default());
    let own: Vec<Transport> = own
        .map(|(id, entry)| {
            let tls = reader.tls(&format!("providers.{id}"), &entry.transport.tls, &upstream.tls);
            let proxies = match &entry.transport.proxy {
                Some(reference) => {
                    reader.proxy(reference, &to_proxies).map_or(Proxies::None, Proxies::Always)
                }
                None => proxies.clone(),
            };
            let http2 = http2(entry.transport.http2.or(upstream.http2));
            Transport { provider: id.clone(), tls, proxies, http2 }
        })
        .collect();
    let http2 = http2(upstream.http2);
    Transports::new(Transport { provider: String::new(), tls, proxies, http2 }, own)
}

fn http2(said: Option<ostia_config::Http2>) -> Http2 {
    match said.unwrap_or_default() {
        ostia_config::Http2::Off => Http2::Off,
        ostia_config::Http2::Offered => Http2::Offered,
        ostia_config::Http2::PriorKnowledge => Http2::PriorKnowledge,
    }
}

/// Proxies before public hosts, if there are any, and the environment's exceptions.
fn public(http: Option<Arc<Proxy>>, https: Option<Arc<Proxy>>, said_by: &'static str) -> Proxies {
    if http.is_none() && https.is_none() {
        return Proxies::None;
    }
    let no_proxy = first(&["no_proxy", "NO_PROXY"]).map_or(String::new(), |(_, value)| value);
    Proxies::Public(PublicProxies::new(http, https, &no_proxy, said_by))
}

/// The first of these variables that is set, as curl looks for them.
fn first(names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, lookup::environment(name)?)))
}

/// The proxies of the environment: before hosts without TLS and with it.
const OF_ENVIRONMENT: [[&str; 4]; 2] = [
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
    ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
];

/// A file of certificates or of a key, which this field names. What is wrong with it goes into the report.
pub fn read_pem(field: &str, path: &Path, files: &RefCell<Files>, report: &mut Report) -> Option<Vec<u8>> {
    files.borrow_mut().note(path);
    let mut pem = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(PEM_BYTES_MAX + 1).read_to_end(&mut pem));
    if let Err(error) = read {
        let message = format!("the file {} cannot be read: {error}", path.display());
        report.add_at(field, Code::UnreadableSecret, message, None);
        return None;
    }
    if pem.len() as u64 > PEM_BYTES_MAX {
        let message = format!("the file {} is longer than {PEM_BYTES_MAX} bytes", path.display());
        report.add_at(field, Code::TooLarge, message, None);
        return None;
    }
    Some(pem)
}

struct Reader<'a> {
    files: &'a RefCell<Files>,
    report: &'a mut Report,
}

impl Reader<'_> {
    /// A proxy that the file names; `None` for none, and for one with a problem.
    fn proxy(&mut self, reference: &SecretRef, tls: &Tls) -> Option<Arc<Proxy>> {
        let url = lookup::fetch(reference, self.files, self.report)?;
        if url.expose_secret() == NONE {
            return None;
        }
        let parsed = Proxy::parse(&url, tls);
        parsed.map(Arc::new).map_err(|fault| self.wrong_proxy(reference, fault)).ok()
    }

    fn wrong_proxy(&mut self, reference: &SecretRef, fault: String) {
        self.report.add(Problem {
            place: reference.place.clone(),
            code: Code::WrongValue,
            message: fault,
            hint: Some("or write none".to_owned()),
        });
    }

    /// What is set and no proxy is told, and passed over as other programs do.
    fn proxies_of_environment(&mut self, tls: &Tls) -> Proxies {
        let [http, https] = OF_ENVIRONMENT.map(|names| {
            let (name, url) = first(&names).filter(|(_, url)| !url.is_empty())?;
            let parsed = Proxy::parse(&url.into(), tls);
            let told = |fault: String| {
                let message = format!("the environment's {name} is not used: it {fault}");
                self.report.add(Problem::of_file(Code::NoEffect, message));
            };
            parsed.map(Arc::new).map_err(told).ok()
        });
        public(http, https, "the environment")
    }

    /// `general`: what holds where `own` says nothing.
    fn tls(&mut self, section: &str, own: &TlsFiles, general: &TlsFiles) -> Tls {
        let ca = own.ca.as_deref().or(general.ca.as_deref());
        let system_roots = own.system_roots.or(general.system_roots).unwrap_or(true);
        if !system_roots && ca.is_none() {
            let hint = "name the certificates to trust in `ca`, or take `system_roots` out".to_owned();
            let message = "leaves nobody to trust: there is no `ca`";
            self.report.add_at(&format!("{section}.tls.system_roots"), Code::Missing, message, Some(hint));
        }
        let authorities = ca.and_then(|ca| self.authorities(section, ca)).unwrap_or_default();
        let identity = own.cert.as_deref().zip(own.key.as_deref());
        let identity = identity.and_then(|(cert, key)| self.identity(section, cert, key));
        Tls::new(Trust { system_roots, authorities }, identity)
    }

    fn authorities(&mut self, section: &str, ca: &Path) -> Option<Authorities> {
        let field = format!("{section}.tls.ca");
        let pem = self.pem(&field, ca)?;
        let read = Authorities::parse(&pem);
        read.map_err(|fault| self.wrong(&field, ca, &fault)).ok()
    }

    fn identity(&mut self, section: &str, cert: &Path, key: &Path) -> Option<Identity> {
        let [of_cert, of_key] = ["cert", "key"].map(|field| format!("{section}.tls.{field}"));
        // Both are looked at, so that all that is wrong is said at once.
        let (cert_pem, key_pem) = (self.pem(&of_cert, cert), self.pem(&of_key, key));
        let read = Identity::parse(&cert_pem?, &key_pem?);
        read.map_err(|fault| match fault {
            IdentityFault::Certificate(fault) => self.wrong(&of_cert, cert, &fault),
            IdentityFault::Key(fault) => self.wrong(&of_key, key, &fault),
        })
        .ok()
    }

    fn pem(&mut self, field: &str, path: &Path) -> Option<Vec<u8>> {
        read_pem(field, path, self.files, self.report)
    }

    fn wrong(&mut self, field: &str, path: &Path, fault: &str) {
        let message = format!("the file {} {fault}", path.display());
        self.report.add_at(field, Code::WrongValue, message, None);
    }
}
