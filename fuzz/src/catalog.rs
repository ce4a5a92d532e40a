//! What stands in the files of the catalogue, and what people call models.

use ostia_catalog::{Catalog, Terms, Tokens, Usage, cost, parse, print};

/// Any text is models or a fault. Models are written as they were read, are found by their names, and a call of theirs has a
/// cost or none; any line is a name that is found or not.
pub fn rows(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let embedded = Catalog::embedded();
    for line in text.lines() {
        let _ = (embedded.find("openai", line), embedded.find(line, "gpt-4o"));
    }
    let Ok(rows) = parse("p", text) else { return };
    assert_eq!(parse("p", &print(&rows)).as_ref(), Ok(&rows));
    let Ok(catalog) = Catalog::of(&rows, &[]) else { return };
    let usage = Usage::of(Tokens { prompt: 1000, cached: 10, completion: 5, ..Tokens::default() });
    for row in &rows {
        let found = catalog.find("p", &row.id).expect("a model is found by its id");
        let _ = cost(&usage, &found.model.prices, &Terms::default());
    }
}
