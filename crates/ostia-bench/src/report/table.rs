//! Plain text tables with a label column and right-aligned cells.

use std::fmt::Write as _;

/// Rows without any cell are left out.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(label: &str, heads: impl IntoIterator<Item = &'static str>) -> Self {
        let heads = heads.into_iter().map(str::to_owned);
        Self { rows: vec![[label.to_owned()].into_iter().chain(heads).collect()] }
    }

    pub(super) fn row(&mut self, label: String, cells: impl IntoIterator<Item = Option<String>>) {
        let cells: Vec<Option<String>> = cells.into_iter().collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".into()));
            self.rows.push([label].into_iter().chain(cells).collect());
        }
    }

    pub(super) fn text(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = if column == 0 {
                    write!(text, "  {cell:<width$}")
                } else {
                    write!(text, "  {cell:>width$}")
                };
            }
            text.push('\n');
        }
        text
    }
}

/// Three figures at least, and thousands set apart.
pub(super) fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 100.0 {
        return format!("{value}");
    }
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        size => {
            let digits = format!("{size:.0}");
            let head = digits.len() % 3;
            let (first, rest) = digits.split_at(head);
            let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
            let parts: Vec<String> = (head > 0).then(|| first.to_owned()).into_iter().chain(groups).collect();
            format!("{}{}", if value < 0.0 { "-" } else { "" }, parts.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases = [
            (0.0, "0"),
            (7.0, "7"),
            (0.004, "0.00"),
            (1.234, "1.23"),
            (-1.5, "-1.50"),
            (19.04, "19.0"),
            (100.0, "100"),
            (999.6, "1,000"),
            (12_345.6, "12,346"),
            (1_234_567.0, "1,234,567"),
            (-4_500.0, "-4,500"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn columns_line_up_and_empty_rows_vanish() {
        let mut table = Table::new("", ["a", "long head"]);
        table.row("x".into(), [Some("100".into()), None]);
        table.row("nobody".into(), [None, None]);
        assert_eq!(table.text(), "       a  long head\n  x  100          -\n");
    }
}
