//! Rows of the SQL engines, with any value in any column: a record or a damaged one, and never an end of the scan.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_engines::fuzzing::{Column, decode_row};

// The first byte is the number of the table. Each column is a byte for its kind and a number of eight bytes, or a
// length of one byte and as many bytes.
fuzz_target!(|bytes: &[u8]| {
    let Some(([table], mut rest)) = bytes.split_first_chunk::<1>() else {
        return;
    };
    let mut columns = Vec::new();
    while let Some(column) = column(&mut rest) {
        columns.push(column);
    }
    if let Some(decoded) = decode_row(usize::from(*table), &columns) {
        assert!(decoded.is_ok(), "{decoded:?}");
    }
});

fn column(rest: &mut &[u8]) -> Option<Column> {
    match take::<1>(rest)? {
        [0] => Some(Column::Null),
        [1] => take::<8>(rest).map(|number| Column::Number(i64::from_be_bytes(number))),
        _ => {
            let [len] = take::<1>(rest)?;
            let (bytes, behind) = rest.split_at_checked(usize::from(len))?;
            *rest = behind;
            Some(Column::Bytes(bytes.to_vec()))
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*head)
}
