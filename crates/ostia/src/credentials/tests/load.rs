#![cfg(feature = "azure")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use ostia_testkit::Step;

use super::*;

/// A thousand requests a second, over four cores, while a credential ends: none fails, none waits, and it is fetched once
/// more.
#[test]
fn a_credential_ends_under_load() {
    const CORES: usize = 4;
    const EACH: usize = 1000;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let server = Upstream::serve(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => token("first", 2),
        _ => token("second", 3600).first(Step::Pause(Duration::from_millis(150))),
    });
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    block_on(credentials.get(&wanted)).unwrap();
    let slowest: Vec<(Duration, usize)> = thread::scope(|scope| {
        let cores: Vec<_> = (0..CORES)
            .map(|_| {
                let (credentials, wanted) = (credentials.clone(), wanted.clone());
                scope.spawn(move || {
                    block_on(async {
                        let (mut slowest, mut seconds) = (Duration::ZERO, 0);
                        let mut tick = tokio::time::interval(Duration::from_millis(4));
                        for _ in 0..EACH {
                            tick.tick().await;
                            let begun = Clock::now();
                            let held = credentials.get(&wanted).await.expect("none fails");
                            seconds += usize::from(exposed(&held) == "second");
                            slowest = slowest.max(begun.elapsed());
                        }
                        (slowest, seconds)
                    })
                })
            })
            .collect();
        cores.into_iter().map(|core| core.join().unwrap()).collect()
    });
    assert_eq!(server.count(), 2, "one refresh");
    for (slowest, seconds) in slowest {
        assert!(seconds > 0, "the second one is in use");
        assert!(
            slowest < Duration::from_millis(120),
            "nobody waits for the refresh, which takes longer: {slowest:?}"
        );
    }
}
