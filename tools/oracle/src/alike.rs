//! Rows that differ in nothing but how equal values are written.

use crate::engine::Outcome;

/// Whether both answered the same rows, but for the sign of a float's zero.
pub fn but_for_signs_of_zero(postgres: &Outcome, embedded: &Outcome) -> bool {
    same(postgres, embedded, &unsigned_zeros)
}

/// As [`but_for_signs_of_zero`], for what the tables hold: lines that name the engine.
pub fn effects_but_for_signs_of_zero(effects: &str) -> bool {
    let side = |engine: &str| {
        let marked = format!(", {engine}: ");
        let lines = effects.lines().filter(|line| line.contains(&marked));
        let mut rows: Vec<String> = lines
            .map(|line| unsigned_zeros(&line.replacen(&marked, ": ", 1)))
            .collect();
        rows.sort();
        rows
    };
    !effects.is_empty() && side("postgres") == side("embedded")
}

/// Whether both answered the same rows, but for which of equal numerics or intervals stands for them all.
pub fn but_for_representatives(postgres: &Outcome, embedded: &Outcome) -> bool {
    same(postgres, embedded, &valued)
}

fn same(postgres: &Outcome, embedded: &Outcome, normal: &dyn Fn(&str) -> String) -> bool {
    let (Outcome::Done { rows, .. }, Outcome::Done { rows: ours, .. }) = (postgres, embedded)
    else {
        return false;
    };
    let sorted = |rows: &[String]| {
        let mut rows: Vec<String> = rows.iter().map(|row| normal(row)).collect();
        rows.sort();
        rows
    };
    sorted(rows) == sorted(ours)
}

/// The members of a row that are no strings, and those that are, each changed.
fn each(row: &str, bare: &dyn Fn(&str) -> String, quoted: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let (mut text, mut inside, mut escaped) = (String::new(), false, false);
    for c in row.chars() {
        match c {
            '"' if !escaped => {
                out.push_str(&if inside { quoted(&text) } else { bare(&text) });
                out.push('"');
                text.clear();
                inside = !inside;
            }
            ',' | ':' | '[' | ']' | '{' | '}' if !inside => {
                out.push_str(&bare(&text));
                out.push(c);
                text.clear();
            }
            c => {
                escaped = c == '\\' && !escaped;
                text.push(c);
                continue;
            }
        }
        escaped = false;
    }
    out.push_str(&bare(&text));
    out
}

fn unsigned_zeros(row: &str) -> String {
    let bare = |text: &str| if text == "-0" { "0" } else { text }.to_owned();
    each(row, &bare, &str::to_owned)
}

fn valued(row: &str) -> String {
    let bare = |text: &str| {
        if text.contains('.') && !text.contains('e') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let quoted =
        |text: &str| span(text).map_or_else(|| text.to_owned(), |span| format!("{span}us"));
    each(row, &bare, &quoted)
}

/// The microseconds of an interval, a month being thirty days.
fn span(text: &str) -> Option<i128> {
    const DAY: i128 = 86_400_000_000;
    let mut total = 0;
    let mut words = text.split(' ');
    let mut found = false;
    while let Some(word) = words.next() {
        found = true;
        if let Some((hours, rest)) = word.split_once(':') {
            let (minutes, seconds) = rest.split_once(':')?;
            let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            let number = |text: &str| text.parse::<i128>().ok();
            let micros = number(&format!("{fraction:0<6}"))?;
            let (sign, hours) = match hours.strip_prefix('-') {
                Some(hours) => (-1, hours),
                None => (1, hours),
            };
            let seconds = (number(hours)? * 60 + number(minutes)?) * 60 + number(seconds)?;
            total += sign * (seconds * 1_000_000 + micros);
            continue;
        }
        let count: i128 = word.parse().ok()?;
        total += count
            * match words.next()?.trim_end_matches('s') {
                "year" => 360 * DAY,
                "mon" => 30 * DAY,
                "day" => DAY,
                _ => return None,
            };
    }
    found.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(rows: &[&str]) -> Outcome {
        Outcome::Done {
            rows: rows.iter().map(|row| (*row).to_owned()).collect(),
            types: Vec::new(),
        }
    }

    #[test]
    fn equal_values_are_told_from_others() {
        for (one, other, alike) in [
            ("{\"k\":\"1 mon\"}", "{\"k\":\"30 days\"}", true),
            ("{\"k\":\"1 day\"}", "{\"k\":\"24:00:00\"}", true),
            ("{\"k\":\"1 day\"}", "{\"k\":\"24:00:01\"}", false),
            ("{\"k\":1.10}", "{\"k\":1.1}", true),
            ("{\"k\":1.10}", "{\"k\":1.01}", false),
            ("{\"k\":\"1.10\"}", "{\"k\":\"1.1\"}", false),
            ("{\"k\":10}", "{\"k\":1}", false),
        ] {
            assert_eq!(
                but_for_representatives(&done(&[one]), &done(&[other])),
                alike,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_zero_may_lose_its_sign_and_nothing_else() {
        assert!(but_for_signs_of_zero(
            &done(&["{\"a\":-0}"]),
            &done(&["{\"a\":0}"])
        ));
        assert!(!but_for_signs_of_zero(
            &done(&["{\"a\":\"-0\"}"]),
            &done(&["{\"a\":\"0\"}"])
        ));
        assert!(effects_but_for_signs_of_zero(
            "-- t1, postgres: {\"a\":-0}\n-- t1, embedded: {\"a\":0}\n"
        ));
        assert!(!effects_but_for_signs_of_zero(
            "-- t1, postgres: {\"a\":-1}\n-- t1, embedded: {\"a\":1}\n"
        ));
    }
}
