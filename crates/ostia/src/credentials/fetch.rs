//! From a source to a credential: which cloud is asked, and how often.

use std::rc::Rc;
use std::time::Duration;

use ostia_providers::auth::source::Source;

use tokio::sync::Semaphore;

#[cfg(feature = "aws")]
use super::aws;
#[cfg(feature = "azure")]
use super::azure;
use super::failure::FailureKind;
#[cfg(feature = "google")]
use super::google;
use super::ibm;
use super::machine::Machine;
use super::net::{Net, Reach};
#[cfg(feature = "oracle")]
use super::oracle;
use super::slot::{Fetched, Slot};
use super::{Failure, Holder};
#[cfg(not(feature = "aws"))]
use absent as aws;
#[cfg(not(feature = "azure"))]
use absent as azure;
#[cfg(not(feature = "google"))]
use absent as google;
#[cfg(not(feature = "oracle"))]
use absent as oracle;

/// How often a call is made until somebody answers it.
const TRIES: u32 = 3;
/// How long to wait before the second; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(200);

/// What credentials are fetched with.
pub struct Fetcher {
    pub net: Rc<Net>,
    pub machine: Machine,
    pub clients_flights: Semaphore,
}

/// Fetches the credential of a slot. Tries again where nobody answered, or not well.
///
/// # Errors
/// Why there is none.
pub async fn fetch(fetcher: &Fetcher, slot: &Slot) -> Result<Fetched, Failure> {
    let _flight = match slot.holder {
        Holder::Operator => None,
        // It is never closed.
        Holder::Client(_) => fetcher.clients_flights.acquire().await.ok(),
    };
    let mut tried = 1;
    loop {
        let failure = match once(fetcher, &slot.source, slot.holder).await {
            Ok(fetched) => return Ok(fetched),
            Err(failure) => failure,
        };
        if tried == TRIES || failure.kind != FailureKind::Unavailable {
            return Err(failure);
        }
        tokio::time::sleep(PAUSE * tried).await;
        tried += 1;
    }
}

async fn once(fetcher: &Fetcher, source: &Source, holder: Holder) -> Result<Fetched, Failure> {
    if holder != Holder::Operator && source.uses_machine() {
        return Err(Failure::refused(
            "what the machine has is the operator's",
            "A request has to bring a credential of its own.",
        ));
    }
    let reach = reach(holder);
    match source {
        Source::Given(credential) => Ok(Fetched { credential: credential.clone(), ends: None }),
        Source::Aws(source) => aws::fetch(fetcher, source, reach).await,
        Source::Google(source) => google::fetch(fetcher, source, reach).await,
        Source::Azure(source) => azure::fetch(fetcher, source, reach).await,
        Source::Ibm(source) => ibm::fetch(fetcher, source, reach).await,
        Source::Oracle(source) => oracle::fetch(fetcher, source, reach).await,
    }
}

/// What addresses in the source's own words may be.
fn reach(holder: Holder) -> Reach {
    match holder {
        Holder::Operator => Reach::Operator,
        Holder::Client(_) => Reach::Vendor,
    }
}

/// In place of a cloud that this build was made without.
#[cfg(not(all(feature = "aws", feature = "azure", feature = "google", feature = "oracle")))]
mod absent {
    use super::{Failure, Fetched, Fetcher, Reach};

    pub async fn fetch<S>(_: &Fetcher, _: &S, _: Reach) -> Result<Fetched, Failure> {
        let words = "this gateway was built without what fetches it";
        Err(Failure::missing(words, "Build it with its features aws, azure, google and oracle."))
    }
}
