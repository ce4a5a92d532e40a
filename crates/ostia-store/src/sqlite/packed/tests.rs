use tempfile::TempDir;

use super::*;
use crate::columns::Text;
use crate::sqlite::{database, insert};
use crate::tests::record;

fn packed(connection: &mut Connection) -> Vec<(Range<i64>, usize)> {
    while step(connection, 4).unwrap() {}
    there(connection)
}

/// Parts with how many requests are packed in each, as far as they are.
fn there(connection: &Connection) -> Vec<(Range<i64>, usize)> {
    let parts = parts(connection).unwrap().into_iter();
    parts.map(|part| (part.numbers, part.packed.map_or(0, |packed| packed.requests))).collect()
}

#[test]
fn what_changes_is_packed_anew() {
    let folder = TempDir::new().unwrap();
    let mut connection = database::open(&folder.path().join("records.db")).unwrap();
    assert_eq!(packed(&mut connection), []);
    let records: Vec<_> = (1..=20).map(|number| record(&number.to_string(), number * 1000)).collect();
    insert::write(&mut connection, &records).unwrap();
    let all = [(0..4, 3), (4..8, 4), (8..12, 4), (12..16, 4), (16..20, 4), (20..21, 0)];
    assert_eq!(packed(&mut connection), all);
    assert_eq!(packed(&mut connection), all, "nothing is left to do");

    let mut without = |change: &str, part: usize, requests: usize| {
        connection.execute(change, []).unwrap();
        assert_eq!(there(&connection)[part].1, 0, "{change}");
        let columns = "SELECT count(*) FROM packed_columns";
        let count: i64 = connection.query_row(columns, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 4 * (Number::ALL.len() + Text::ALL.len()) as i64, "{change}");
        assert_eq!(packed(&mut connection)[part].1, requests, "{change}");
    };
    without("UPDATE requests SET costs = 'USD 1' WHERE number = 9", 2, 4);
    without("DELETE FROM requests WHERE number = 14", 3, 3);
    without("DELETE FROM requests WHERE number = 19", 4, 3);

    // What is taken away from the first ones is not packed anew each time.
    connection.execute("DELETE FROM requests WHERE number < 3", []).unwrap();
    assert_eq!(packed(&mut connection)[0], (3..4, 0));
    connection.execute("DELETE FROM requests WHERE number < 4", []).unwrap();
    assert_eq!(packed(&mut connection)[0], (4..8, 4));

    // What is written now has the number of one that was taken away.
    connection.execute_batch("DELETE FROM requests WHERE number = 20; DELETE FROM bodies").unwrap();
    insert::write(&mut connection, &[record("again", 30_000)]).unwrap();
    assert_eq!(numbers(&connection).unwrap(), Some((4, 19)));
    assert_eq!(there(&connection)[3], (16..20, 0));
}

#[test]
fn columns_that_are_damaged_are_not_read() {
    let folder = TempDir::new().unwrap();
    let mut connection = database::open(&folder.path().join("records.db")).unwrap();
    let records: Vec<_> = (1..=9).map(|number| record(&number.to_string(), number * 1000)).collect();
    insert::write(&mut connection, &records).unwrap();
    packed(&mut connection);
    let part = parts(&connection).unwrap().swap_remove(1);
    let wanted = Wanted::all();
    let add = |change: &str| {
        connection.execute(change, []).unwrap();
        super::add(&connection, &part, &wanted, &mut Columns::default()).unwrap()
    };
    assert!(add("DELETE FROM packed WHERE first = -1"));
    assert!(!add("UPDATE packed_columns SET data = x'02' WHERE name = 'status'"));
    assert!(!add("DELETE FROM packed_columns WHERE name = 'status'"));
}
