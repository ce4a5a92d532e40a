use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use ostia_testkit::Step;

use super::*;

#[test]
fn one_flight_for_all_cores() {
    let server = Upstream::serve(|_| token("t", 3600).first(Step::Pause(Duration::from_millis(200))));
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            let (credentials, wanted, barrier) = (credentials.clone(), wanted.clone(), &barrier);
            scope.spawn(move || {
                barrier.wait();
                block_on(async {
                    for _ in 0..50 {
                        assert_eq!(exposed(&credentials.get(&wanted).await.unwrap()), "t");
                    }
                });
                assert!(credentials.ready(&wanted).is_some(), "it is there without waiting");
            });
        }
    });
    assert_eq!(server.count(), 1);
}

#[test]
fn what_was_fetched_for_one_is_not_anothers() {
    let server = Upstream::serve(|_| token("t", 3600));
    let (credentials, source) = entra(&server);
    let holders = [Holder::Operator, Holder::Client(Owner::Key(1)), Holder::Client(Owner::Key(2))];
    for holder in holders.into_iter().chain(holders) {
        assert_eq!(fetched(&credentials, source.clone(), holder).unwrap(), "t");
    }
    assert_eq!(server.count(), holders.len());
}

#[test]
fn a_failed_refresh_keeps_the_old_one_until_it_ends() {
    let server = Upstream::in_turn(vec![
        token("old", 4),
        Answer::json(r#"{"error":"invalid_client"}"#).status(401),
        Answer::json(r#"{"error":"invalid_client"}"#).status(401),
        token("new", 3600),
    ]);
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    let get = || block_on(credentials.get(&wanted)).map(|held| exposed(&held));
    assert_eq!(get().unwrap(), "old");
    assert!(server.wait_for_requests(2, Duration::from_secs(5)), "it is fetched again before its end");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(get().unwrap(), "old", "it holds still");
    // The next try fails too, and the old one ends.
    thread::sleep(Duration::from_millis(1100));
    let failure = get().unwrap_err();
    assert!(failure.words.contains("invalid_client"), "{failure}");
    assert_eq!(failure.fault(false).status, 401);
    // It is tried again, by itself while the old one holds, and for whoever asks after the pause.
    let found = (0..60).find_map(|_| {
        thread::sleep(Duration::from_millis(100));
        get().ok()
    });
    assert_eq!(found.as_deref(), Some("new"));
}

#[test]
fn while_nobody_tries_again_everybody_hears_the_same() {
    let server = Upstream::serve(|_| Answer::json(r#"{"error":"invalid_client"}"#).status(401));
    let (credentials, source) = entra(&server);
    for _ in 0..20 {
        fetched(&credentials, source.clone(), Holder::Operator).unwrap_err();
    }
    assert_eq!(server.count(), 1);
}

#[test]
fn what_goes_wrong_is_told_without_the_secret() {
    let check = |answer: Answer, status: u16, words: &[&str], calls: usize| {
        let server = Upstream::serve(move |_| answer.clone());
        let (credentials, source) = entra(&server);
        let failure = fetched(&credentials, source, Holder::Client(Owner::Nobody)).unwrap_err();
        let (told, brief) = (failure.fault(true), failure.fault(false));
        for word in words.iter().chain(&["Entra's application app by its secret"]) {
            assert!(told.message.contains(word), "{} has no {word:?}", told.message);
        }
        assert_eq!((told.status, brief.status), (status, status), "{failure}");
        assert!(!format!("{told:?}{failure:?}").contains("top-secret"));
        assert!(!brief.message.contains("app by"), "{brief}");
        assert_eq!(server.count(), calls, "{failure}");
    };
    let refused = r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret"}"#;
    check(Answer::json(refused).status(401), 401, &["invalid_client: AADSTS7000215", "Check that"], 1);
    check(Answer::json("not json"), 502, &["not JSON"], 1);
    check(Answer::json("{}"), 502, &["access_token"], 1);
    check(Answer::json(r#"{"access_token":""}"#), 502, &["access_token"], 1);
    check(Answer::with("text/html", "<html>").status(500), 502, &["status 500"], 3);
    check(Answer::empty().status(302).header("location", "http://127.0.0.1:1/"), 401, &["status 302"], 1);
    check(Answer::bare("\0\0\0\0\r\n\r\n"), 502, &["127.0.0.1"], 3);
    check(Answer::json("{\"access_token\":\"a\\nb\"}".repeat(40_000)), 502, &["too large"], 3);
    check(Answer::empty().first(Step::Stall), 502, &["no answer in time"], 3);
}

#[test]
fn the_operators_credentials_and_others_are_bounded() {
    let slot = |holder| Arc::new(Slot::new(Arc::new(Source::Given(Credential::Key("".into()))), holder));
    let mut slots = HashMap::new();
    let operators = slot(Holder::Operator);
    slots.insert((0, 0), operators.clone());
    let clients: Vec<_> =
        (1..=CLIENTS_MAX as u64).map(|n| (n, slot(Holder::Client(Owner::Key(n))))).collect();
    slots.extend(clients.iter().map(|(n, slot)| ((*n, 0), slot.clone())));
    make_room(&mut slots);
    assert_eq!(slots.len(), CLIENTS_MAX);
    assert_eq!(clients.iter().filter(|(_, slot)| slot.is_forgotten()).count(), 1);
    assert!(!operators.is_forgotten());
}

#[test]
fn what_is_forgotten_is_fetched_anew() {
    let server = Upstream::serve(|_| token("t", 3600));
    let (credentials, source) = entra(&server);
    fetched(&credentials, source.clone(), Holder::Operator).unwrap();
    let slot = lock(&credentials.shared.slots).values().next().unwrap().clone();
    credentials.shared.forget(&slot);
    assert!(lock(&credentials.shared.slots).is_empty());
    fetched(&credentials, source, Holder::Operator).unwrap();
    assert_eq!(server.count(), 2);
    // Nobody holds it any more, the thread neither.
    let is_gone = || Arc::strong_count(&slot) == 1;
    assert!((0..200).any(|_| is_gone() || {
        thread::sleep(Duration::from_millis(10));
        false
    }));
}

#[test]
fn one_that_a_provider_refuses_is_fetched_anew_if_it_is_not_fresh() {
    let server = Upstream::in_turn(vec![token("old", 3600), token("new", 3600)]);
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    let get = || exposed(&block_on(credentials.get(&wanted)).unwrap());
    assert_eq!(get(), "old");
    credentials.doubt(&wanted);
    assert_eq!((get().as_str(), server.count()), ("old", 1), "it is fresh");
    let slot = credentials.found.borrow().values().next().unwrap().clone();
    slot.doubt(Instant::now() + Duration::from_secs(31));
    assert_eq!((get().as_str(), server.count()), ("new", 2));
}

#[test]
fn one_that_has_ended_already_is_none() {
    let server = Upstream::serve(|_| token("t", 0));
    let (credentials, source) = entra(&server);
    let failure = fetched(&credentials, source, Holder::Operator).unwrap_err();
    assert!(failure.words.contains("ended already"), "{failure}");
}

#[test]
fn what_failed_and_nobody_asks_for_is_forgotten() {
    let server = Upstream::serve(|_| Answer::json("{}"));
    let (credentials, source) = entra(&server);
    fetched(&credentials, source, Holder::Operator).unwrap_err();
    let count = || lock(&credentials.shared.slots).len();
    credentials.shared.forget_idle(Instant::now());
    assert_eq!(count(), 1);
    // The flight ends just behind the news of its failure.
    let is_over = || credentials.found.borrow().values().all(|slot| !slot.is_kept());
    assert!((0..100).any(|_| is_over() || {
        thread::sleep(Duration::from_millis(10));
        false
    }));
    credentials.shared.forget_idle(Instant::now() + keeper::IDLE_MAX + Duration::from_secs(2));
    assert_eq!(count(), 0);
    credentials.sweep();
    assert!(credentials.found.borrow().is_empty());
}

#[test]
fn after_a_reload_calls_go_over_the_new_network() {
    let server = Upstream::serve(|_| token("t", 3600));
    let (credentials, source) = entra(&server);
    let fetch = |key| fetched(&credentials, source.clone(), Holder::Client(Owner::Key(key))).unwrap();
    let renew = || credentials.renew(Network { guard: Guard::default(), transports: Transports::default() });
    renew();
    fetch(1);
    fetch(2);
    assert_eq!(server.connections(), 1);
    renew();
    fetch(3);
    assert_eq!((server.count(), server.connections()), (3, 2));
}

#[test]
fn whoever_gives_up_waiting_ends_no_flight() {
    let server = Upstream::serve(|_| token("t", 3600).first(Step::Pause(Duration::from_millis(300))));
    let (credentials, source) = entra(&server);
    let wanted = credentials.wanted(source, Holder::Operator);
    block_on(async {
        tokio::time::timeout(Duration::from_millis(50), credentials.get(&wanted)).await.unwrap_err();
        assert_eq!(exposed(&credentials.get(&wanted).await.unwrap()), "t");
    });
    assert_eq!(server.count(), 1);
}

#[test]
fn what_the_machine_has_is_no_clients() {
    let server = Upstream::serve(|_| token("t", 3600));
    let variables = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url()),
        ("GCE_METADATA_HOST", server.address().to_string()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url()),
    ];
    let credentials = on(variables.to_vec());
    for auth in [aws(), Auth::Google, Auth::Azure] {
        let source = source(&auth, Giver::Operator, &Texts::new());
        let failure = fetched(&credentials, source, Holder::Client(Owner::Nobody)).unwrap_err();
        assert!(failure.words.contains("the operator's"), "{failure}");
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn only_the_operators_words_reach_private_hosts_and_metadata() {
    let server = Upstream::serve(|_| token("t", 3600));
    let net = || net::Net::new(Network { guard: Guard::default(), transports: Transports::default() });
    let ask = |reach, url: String| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        runtime.unwrap().block_on(net().send(net::Call::of(reach, url)))
    };
    use net::Reach::{Metadata, Operator, Vendor};
    for reach in [Operator, Metadata] {
        assert_eq!(ask(reach, server.url()).unwrap().status, 200);
    }
    // A vendor's host is public, and its tokens do not travel in the clear.
    for url in [server.url(), server.url().replace("http:", "https:"), "http://oauth2.googleapis.com".into()]
    {
        ask(Vendor, url).unwrap_err();
    }
    for host in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]"] {
        for reach in [Vendor, Operator] {
            let failure = ask(reach, format!("https://{host}/latest")).unwrap_err();
            assert!(failure.words.contains("metadata"), "{host} {reach:?}: {failure}");
        }
    }
    assert_eq!(server.count(), 2);
}
