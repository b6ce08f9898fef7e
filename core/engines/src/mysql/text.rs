//! Statements as text: the protocol sends several in one message only so. Bytes are written as hexadecimal digits,
//! so no value can end its literal.

use std::fmt::Write as _;

use crate::relational::Cell;
use crate::sql::Statement;

/// The statement with its values in their places.
pub(super) fn text(statement: &Statement) -> String {
    let mut out = String::with_capacity(statement.text.len() + 64);
    let mut parts = statement.text.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match place.and_then(|place| statement.cells.get(place)) {
            Some(cell) => literal(&mut out, cell),
            None => out.push('$'),
        }
        out.push_str(rest);
    }
    out
}

fn literal(out: &mut String, cell: &Cell<'_>) {
    let bytes = match cell {
        Cell::Int(number) => {
            // Writing to a string does not fail.
            let _ = write!(out, "{number}");
            return;
        }
        Cell::Text(bytes) => {
            // Compared by the collation of its column, as the unique index does.
            out.push_str("_utf8mb4 ");
            bytes
        }
        Cell::Blob(bytes) => bytes,
    };
    out.push_str("x'");
    for byte in bytes.iter() {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn values_stand_in_their_places_and_end_no_literal() {
        let cells = vec![
            Cell::Int(-5),
            Cell::Text(Cow::Borrowed(b"a'b")),
            Cell::Blob(Cow::Borrowed(b"\\' $1 \xFF")),
            Cell::Blob(Cow::Borrowed(b"")),
        ];
        let statement = Statement {
            text: "SELECT $1, $2, $3, $4 + $1".to_owned(),
            cells,
        };
        assert_eq!(
            text(&statement),
            "SELECT -5, _utf8mb4 x'612762', x'5c2720243120ff', x'' + -5"
        );
    }
}
