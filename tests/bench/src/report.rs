//! Figures by row and contender: median, range and ratio to the first contender.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Operations per second, more is better.
    PerSecond,
    /// Seconds, less is better.
    Seconds,
    /// Microseconds per operation, less is better.
    Microseconds,
    /// MiB per second, more is better.
    MebibytesPerSecond,
    /// MiB, less is better.
    Mebibytes,
    /// A plain count.
    Count,
}

impl Unit {
    fn text(self) -> &'static str {
        match self {
            Unit::PerSecond => "/s",
            Unit::Seconds => "s",
            Unit::Microseconds => "us",
            Unit::MebibytesPerSecond => "MiB/s",
            Unit::Mebibytes => "MiB",
            Unit::Count => "",
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Unit::PerSecond | Unit::MebibytesPerSecond)
    }
}

struct Row {
    name: &'static str,
    unit: Unit,
    figures: Vec<(String, Vec<f64>)>,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Results {
    rows: Vec<Row>,
    contenders: Vec<String>,
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(*v), high.max(*v))
        })
}

fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

impl Results {
    /// Adds one figure.
    pub(crate) fn add(&mut self, name: &'static str, unit: Unit, contender: &str, value: f64) {
        if !self.contenders.iter().any(|c| c == contender) {
            self.contenders.push(contender.to_owned());
        }
        let position = self
            .rows
            .iter()
            .position(|row| row.name == name)
            .unwrap_or(self.rows.len());
        if position == self.rows.len() {
            self.rows.push(Row {
                name,
                unit,
                figures: Vec::new(),
            });
        }
        let Some(row) = self.rows.get_mut(position) else {
            return;
        };
        match row.figures.iter_mut().find(|(c, _)| c == contender) {
            Some((_, values)) => values.push(value),
            None => row.figures.push((contender.to_owned(), vec![value])),
        }
    }

    /// A Markdown table: median (range), and how many times better the first contender is than each other.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from("| row |");
        for contender in &self.contenders {
            let _ = write!(out, " {contender} |");
        }
        for contender in self.contenders.iter().skip(1) {
            let _ = write!(out, " better than {contender} |");
        }
        out.push_str("\n|---|");
        out.push_str(&"---|".repeat(self.contenders.len() * 2 - usize::from(!self.contenders.is_empty())));
        out.push('\n');
        for row in &self.rows {
            let _ = write!(out, "| {} {} |", row.name, row.unit.text());
            for contender in &self.contenders {
                match row.values(contender) {
                    Some(values) => {
                        let (low, high) = range(values);
                        let _ = write!(
                            out,
                            " {} ({}-{}) |",
                            short(median(values)),
                            short(low),
                            short(high)
                        );
                    }
                    None => out.push_str(" |"),
                }
            }
            for contender in self.contenders.iter().skip(1) {
                match self.ratio(row, contender) {
                    Some(ratio) => {
                        let _ = write!(out, " {ratio:.2} x |");
                    }
                    None => out.push_str(" |"),
                }
            }
            out.push('\n');
        }
        out
    }

    fn ratio(&self, row: &Row, contender: &str) -> Option<f64> {
        let own = median(row.values(self.contenders.first()?)?);
        let other = median(row.values(contender)?);
        Some(if row.unit.more_is_better() {
            own / other
        } else {
            other / own
        })
    }

    /// Every figure, for machines.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let figures: serde_json::Map<String, Value> = row
                    .figures
                    .iter()
                    .map(|(contender, values)| {
                        let (low, high) = range(values);
                        let figure = json!({
                            "median": median(values), "min": low, "max": high, "rounds": values,
                            "first_is_better_by": self.ratio(row, contender),
                        });
                        (contender.clone(), figure)
                    })
                    .collect();
                json!({ "row": row.name, "unit": row.unit.text(), "contenders": figures })
            })
            .collect();
        json!({ "rows": rows })
    }
}

impl Row {
    fn values(&self, contender: &str) -> Option<&Vec<f64>> {
        self.figures
            .iter()
            .find(|(c, _)| c == contender)
            .map(|(_, values)| values)
    }
}
