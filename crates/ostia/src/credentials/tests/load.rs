use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ostia_testkit::Step;

use super::*;

/// A thousand requests a second on each of four cores, for seconds around the end of a credential: none fails, none waits, and it is
/// fetched once more.
#[test]
fn a_credential_ends_under_load() {
    const CORES: usize = 4;
    const REQUESTS: usize = 5000;
    const EVERY: Duration = Duration::from_millis(1);
    let count = AtomicUsize::new(0);
    // The first holds until about the four-thousandth request of each core.
    let server = Upstream::serve(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => token("first", 4),
        _ => token("second", 3600).first(Step::Pause(Duration::from_millis(150))),
    });
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    let core = || {
        let (credentials, wanted) = (credentials.clone(), wanted.clone());
        move || {
            block_on(async {
                let mut tick = tokio::time::interval(EVERY);
                credentials.get(&wanted).await.unwrap();
                for _ in 0..REQUESTS {
                    tick.tick().await;
                    assert!(credentials.ready(&wanted).is_some(), "none fails, and none waits");
                }
                exposed(&credentials.get(&wanted).await.unwrap())
            })
        }
    };
    thread::scope(|scope| {
        let cores: Vec<_> = (0..CORES).map(|_| scope.spawn(core())).collect();
        for core in cores {
            assert_eq!(core.join().unwrap(), "second");
        }
    });
    assert_eq!(server.count(), 2, "one refresh");
}
