//! A connection, and the runtime that it lives on: the store's threads work with it one call after the other.

use std::error::Error as _;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{NoTls, TlsConnect};
use tokio_postgres::types::{ToSql, Type};

use super::tls::Tls;
use super::{Encryption, Server, tables};
use crate::answers::ReadError;
use crate::network::Stream;

/// How long a connection may take, tables included.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// What the server is told to give up by itself, should nobody be left who waits for it.
const WRITES: &str = "SET search_path = ostia; SET timezone = 'UTC'; SET statement_timeout = '20s'; SET lock_timeout = '10s'; \
                      SET idle_in_transaction_session_timeout = '20s'";
/// The same for questions. To compile one takes longer than to answer it.
const READS: &str = "SET search_path = ostia; SET timezone = 'UTC'; SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
                     SET default_transaction_read_only = on; SET jit = off";
/// Classes of errors that are about what was said and not about the server: data, constraints, bounds
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).
const CLASSES_OF_DATA: [&str; 3] = ["22", "23", "54"];

/// What stands for a `$1`, and its type: so that the server need not be asked for that first.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A value of this type.
pub(super) fn param<'a>(value: &'a (dyn ToSql + Sync), of: Type) -> Param<'a> {
    (value, of)
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It makes the tables, too.
    Writes,
    Reads,
    /// It reads, whosever the tables are, and where there are none.
    Looks,
}

/// Why the server did not do what it was asked.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no connection, or the tables are none of ours.
    Closed(String),
    /// The server's word, or that its connection broke.
    Server(tokio_postgres::Error),
    /// It took too long.
    TooSlow,
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Fault {
        match error.code() == Some(&SqlState::QUERY_CANCELED) {
            true => Fault::TooSlow,
            false => Fault::Server(error),
        }
    }
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> ReadError {
        match fault {
            Fault::TooSlow => ReadError::TooSlow,
            Fault::Closed(_) | Fault::Server(_) => ReadError::Unreadable(fault.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Closed(why) => f.write_str(why),
            Fault::TooSlow => f.write_str("it took too long"),
            Fault::Server(error) => match (error.as_db_error(), error.source()) {
                (Some(told), _) => write!(f, "{} (SQLSTATE {})", told.message(), told.code().code()),
                (None, Some(source)) => write!(f, "{error}: {source}"),
                (None, None) => error.fmt(f),
            },
        }
    }
}

impl Fault {
    /// Would the same be refused again?
    pub(super) fn is_of_what_was_said(&self) -> bool {
        let Fault::Server(error) = self else { return false };
        error.code().is_some_and(|code| CLASSES_OF_DATA.iter().any(|class| code.code().starts_with(class)))
    }

    /// Did the connection break, and not of what was asked?
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Fault::Server(error) => {
                error.as_db_error().is_none() || error.code() == Some(&SqlState::ADMIN_SHUTDOWN)
            }
            Fault::Closed(_) | Fault::TooSlow => false,
        }
    }

    /// Is the connection as good as before?
    fn leaves_connection(&self) -> bool {
        matches!(self, Fault::Server(error) if error.as_db_error().is_some() && !error.is_closed())
    }
}

/// A connection that is opened when it is needed.
pub(super) struct Client {
    server: Arc<Server>,
    role: Role,
    runtime: Option<Runtime>,
    client: Option<tokio_postgres::Client>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(server: Arc<Server>, role: Role) -> Client {
        Client { server, role, runtime: None, client: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.client.is_some()
    }

    /// Opens it, where it is not open or was closed by the server.
    pub(super) fn open(&mut self) -> Result<(), Fault> {
        self.ready().map(drop)
    }

    /// Does this within this time; once more where the connection had broken, as one does that was left alone while the server was
    /// started anew. So it has to be something that may be done twice.
    pub(super) fn run<T>(
        &mut self,
        within: Duration,
        mut work: impl AsyncFnMut(&mut tokio_postgres::Client) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self.run_once(within, &mut work) {
            Err(fault) if fault.is_of_connection() => self.run_once(within, &mut work),
            done => done,
        }
    }

    /// Where that fails other than by the server's word, the next work has a new connection.
    fn run_once<T>(
        &mut self,
        within: Duration,
        work: &mut impl AsyncFnMut(&mut tokio_postgres::Client) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (runtime, client) = self.ready()?;
        let done = runtime.block_on(async { timeout(within, work(client)).await });
        let done = done.unwrap_or(Err(Fault::TooSlow));
        if done.as_ref().is_err_and(|fault| !fault.leaves_connection()) {
            self.client = None;
        }
        done
    }

    fn ready(&mut self) -> Result<(&Runtime, &mut tokio_postgres::Client), Fault> {
        let no_runtime = |error: std::io::Error| Fault::Closed(error.to_string());
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_current_thread().enable_all().build().map_err(no_runtime)?,
        };
        let runtime = self.runtime.insert(runtime);
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => {
                let connecting = async { timeout(CONNECTED_WITHIN, connect(&self.server, self.role)).await };
                runtime.block_on(connecting).unwrap_or(Err(Fault::TooSlow))?
            }
        };
        Ok((runtime, self.client.insert(client)))
    }
}

async fn connect(server: &Server, role: Role) -> Result<tokio_postgres::Client, Fault> {
    let opened = server.connect.connect(&server.host, server.port).await;
    let stream = opened.map_err(|error| Fault::Closed(format!("no connection: {error}")))?;
    let mut config = tokio_postgres::Config::new();
    config.user(&server.user).dbname(&server.database).application_name("ostia");
    if let Some(password) = server.password.now() {
        config.password(password.expose_secret());
    }
    let mut client = match &server.encryption {
        Encryption::Off => shake_hands(config.ssl_mode(SslMode::Disable), stream, NoTls).await?,
        Encryption::Offered(tls) => {
            shake_hands(config.ssl_mode(SslMode::Prefer), stream, Tls::to(&server.host, tls)?).await?
        }
        Encryption::Required(tls) => {
            shake_hands(config.ssl_mode(SslMode::Require), stream, Tls::to(&server.host, tls)?).await?
        }
    };
    match role {
        Role::Writes => {
            client.batch_execute(WRITES).await?;
            tables::bring_up(&mut client).await?;
        }
        Role::Reads => {
            client.batch_execute(READS).await?;
            tables::check(&client).await?;
        }
        Role::Looks => client.batch_execute(READS).await?,
    }
    Ok(client)
}

async fn shake_hands<T>(
    config: &tokio_postgres::Config,
    stream: Box<dyn Stream>,
    tls: T,
) -> Result<tokio_postgres::Client, Fault>
where
    T: TlsConnect<Box<dyn Stream>>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect_raw(stream, tls).await?;
    // What it ends with is told by the next call.
    let connection: Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>> =
        Box::pin(connection);
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
