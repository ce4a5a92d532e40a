use std::time::Duration;

use super::Parts;
use crate::postgres::client::{Client, Role};

use crate::answers::DAY_MS;
use crate::engine::{Engine, Place};
use crate::postgres::tests::Databases;
use crate::query::Filter;
use crate::reader::Reader;
use crate::retention::Retention;
use crate::summary::{Grouping, Sums};
use crate::tests::{at, record};

/// How long a busy server may take.
const PATIENCE: Duration = Duration::from_secs(60);
const NOON_MS: i64 = 20_000 * DAY_MS + DAY_MS / 2;

fn pack(engine: &mut Engine, now_ms: i64) {
    let Engine::Postgres(own) = engine else { panic!("it is another engine") };
    while own.pack(4, now_ms).unwrap() {}
}

/// What the requests come to, request by request.
fn counted(place: &Place) -> Sums {
    let filter = Filter { duration_ms: (Some(0), None), ..Filter::default() };
    let (_, groups) = Reader::of(place).sums(&filter, Grouping::None, NOON_MS).unwrap();
    groups.into_iter().next().map(|group| group.sums).unwrap_or_default()
}

#[test]
fn what_changes_is_packed_anew() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let sql = |text: &str| databases.server.sql(&name, text);
    let parts = "SELECT day_ms / 86400000, requests, is_stale FROM ostia.packed ORDER BY first";
    let mut engine = Engine::of(&place);
    // Every third is of the day before.
    let day = |number: i64| if number % 3 == 0 { DAY_MS } else { 0 };
    let all: Vec<_> =
        (0..14).map(|number| record(&number.to_string(), NOON_MS + number - day(number))).collect();
    engine.write(&all).unwrap();
    let before = counted(&place);
    assert_eq!((before.requests, before.attempts), (14, 28));

    pack(&mut engine, NOON_MS);
    assert_eq!(sql(parts), "19999|4|f\n20000|4|f\n20000|4|f");
    assert_eq!(sql("SELECT requests, packed FROM ostia.days WHERE requests > 0 ORDER BY 1"), "5|4\n9|8");
    assert_eq!(counted(&place), before);

    // Others come among them in time, behind them by number.
    engine.write(&[record("late", NOON_MS - DAY_MS), record("now", NOON_MS)]).unwrap();
    assert_eq!(counted(&place).requests, 16);

    let progress = engine.reprice(NOON_MS, &at(Some(7.0)), &mut |_| {}).unwrap();
    assert_eq!(progress.changed, 10);
    assert_eq!(sql(parts), "19999|4|f\n20000|4|t\n20000|4|t");
    let repriced = counted(&place);
    assert_ne!(repriced.cost, before.cost);
    pack(&mut engine, NOON_MS);
    assert_eq!(sql(parts), "19999|4|f\n20000|4|f\n20000|4|f");
    assert_eq!(counted(&place), repriced);

    // What is damaged, or not there, is read from the rows.
    sql(
        "UPDATE ostia.packed_columns SET data = '\\x02' WHERE name = 'status' AND first = (SELECT min(first) FROM ostia.packed)",
    );
    sql(
        "DELETE FROM ostia.packed_columns WHERE name = 'end' AND first = (SELECT max(first) FROM ostia.packed)",
    );
    assert_eq!(counted(&place), repriced);

    let few = Retention { records: Duration::from_secs(86_400), ..Retention::default() };
    while engine.retain(&few, NOON_MS + DAY_MS).unwrap() {}
    assert_eq!(counted(&place).requests, 10);
    assert_eq!(sql("SELECT count(*) FROM ostia.packed WHERE day_ms / 86400000 = 19999"), "0");
}

/// Another gateway packs while this one looks what is packed.
#[test]
fn what_is_packed_meanwhile_counts_once() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let mut engine = Engine::of(&place);
    let all: Vec<_> = (0..10).map(|number| record(&number.to_string(), NOON_MS + number)).collect();
    engine.write(&all).unwrap();
    let Place::Postgres(server) = &place else { panic!("it is another place") };
    let time = (NOON_MS - DAY_MS, NOON_MS + DAY_MS);
    let mut client = Client::new(server.clone(), Role::Reads);
    let mut parts = client.run(PATIENCE, async |client| Parts::not_packed(client, time).await).unwrap();
    pack(&mut engine, NOON_MS);
    client.run(PATIENCE, async |client| parts.add_packed(client, time).await).unwrap();
    assert_eq!((parts.packed.len(), parts.plain.len()), (0, 1));
    let parts = client.run(PATIENCE, async |client| Parts::of(client, time).await).unwrap();
    assert_eq!((parts.packed.len(), parts.plain.len()), (2, 1));

    // Whole and in part, by hand.
    let sql = |text: &str| databases.server.sql(&name, text);
    sql("DELETE FROM ostia.requests WHERE id = '1'");
    assert_eq!(sql("SELECT is_stale FROM ostia.packed ORDER BY first"), "t\nf");
    assert_eq!(counted(&place).requests, 9);
    sql("DELETE FROM ostia.requests WHERE id IN ('4', '5', '6', '7')");
    assert_eq!(counted(&place).requests, 5);
    pack(&mut engine, NOON_MS);
    assert_eq!(sql("SELECT requests, is_stale FROM ostia.packed ORDER BY first"), "3|f");
    assert_eq!(counted(&place).requests, 5);
}

/// Few are left alone while others of their day may come.
#[test]
fn the_rest_of_a_day_is_packed_when_it_is_over() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let mut engine = Engine::of(&place);
    let all: Vec<_> = (0..70).map(|number| record(&number.to_string(), NOON_MS + number)).collect();
    engine.write(&all).unwrap();
    let mut packed = |now_ms: i64| {
        engine.retain(&Retention::default(), now_ms).unwrap();
        databases.server.sql(&name, "SELECT coalesce(sum(requests), 0) FROM ostia.packed")
    };
    assert_eq!(packed(NOON_MS), "0");
    assert_eq!(packed(NOON_MS + DAY_MS / 2 + 3_600_000), "0");
    assert_eq!(packed(NOON_MS + DAY_MS / 2 + 3_600_001), "70");
    assert_eq!(counted(&place).requests, 70);
}
