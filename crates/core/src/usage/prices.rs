//! List prices of models, from a dated file that people can read and correct.

use crate::turn::Usage;

/// List prices, in US dollars for a million tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prices {
    /// The day for which they hold: `2026-11-22`.
    pub date: String,
    /// Where they are from, in a sentence.
    pub source: String,
    prices: Vec<Price>,
}

/// The price of a model, or of all whose name begins so.
#[derive(Debug, Clone, PartialEq)]
struct Price {
    name: String,
    /// Whether other names that begin with this one are meant, too.
    and_longer: bool,
    input: f64,
    cached: f64,
    output: f64,
}

/// A line of a price file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the prices cannot be read: {because}")]
pub struct Unreadable {
    /// Which line, from 1.
    pub line: usize,
    /// Why.
    pub because: String,
}

impl Prices {
    /// The prices that come with this program.
    #[must_use]
    pub fn bundled() -> Self {
        // That it can be read is tested.
        Self::parse(include_str!("../../../../resources/prices.txt")).unwrap_or_default()
    }

    /// Reads a price file; its head says what its lines are.
    ///
    /// # Errors
    ///
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut prices = Self::default();
        for (line, number) in text.lines().zip(1..) {
            let unreadable =
                |because: &str| Unreadable { line: number, because: because.to_owned() };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(date) = line.strip_prefix("date ") {
                prices.date = date.trim().to_owned();
            } else if let Some(more) = line.strip_prefix("source ") {
                let space = if prices.source.is_empty() { "" } else { " " };
                prices.source.push_str(space);
                prices.source.push_str(more.trim());
            } else {
                prices.prices.push(price(line).map_err(unreadable)?);
            }
        }
        Ok(prices)
    }

    /// What a turn would have cost, in US dollars; `None` for a model without a known price. Nothing costs
    /// nothing, whatever the model.
    #[must_use]
    pub fn estimate(&self, model: Option<&str>, usage: &Usage) -> Option<f64> {
        if usage.input_tokens == 0 && usage.output_tokens == 0 {
            return Some(0.0);
        }
        let price = self.price(model?)?;
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let fresh = usage.input_tokens - cached;
        let millions = |tokens: u64| tokens as f64 / 1_000_000.0;
        Some(
            millions(fresh) * price.input
                + millions(cached) * price.cached
                + millions(usage.output_tokens) * price.output,
        )
    }

    fn price(&self, model: &str) -> Option<&Price> {
        let model = plain(model);
        let fits = |price: &&Price| {
            price.name == model || (price.and_longer && model.starts_with(&price.name))
        };
        self.prices.iter().filter(fits).max_by_key(|price| (!price.and_longer, price.name.len()))
    }
}

fn price(line: &str) -> Result<Price, &'static str> {
    let mut words = line.split_whitespace();
    let name = words.next().ok_or("there is nothing in it")?.to_lowercase();
    let mut number = || {
        let number: f64 = words.next()?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let (Some(input), Some(cached), Some(output)) = (number(), number(), number()) else {
        return Err("a model is followed by three prices");
    };
    if words.next().is_some() {
        return Err("there is more in it than a model and three prices");
    }
    let (name, and_longer) = match name.strip_suffix('*') {
        Some(name) => (name.to_owned(), true),
        None => (name, false),
    };
    Ok(Price { name, and_longer, input, cached, output })
}

/// A model's name without what does not change its price: who offers it (`anthropic/`), the size of its
/// context (`[1m]`), the day of its release (`-20250929`, `-2025-08-07`) and `-latest`.
fn plain(model: &str) -> String {
    let model = model.trim().to_lowercase();
    let model = model.rsplit('/').next().unwrap_or_default();
    let model = model.split('[').next().unwrap_or_default();
    let model = model.strip_suffix("-latest").unwrap_or(model);
    without_date(model).to_owned()
}

fn without_date(model: &str) -> &str {
    let digits = |text: &str, most: usize| {
        text.len() == most && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let Some((rest, last)) = model.rsplit_once('-') else { return model };
    if digits(last, 8) {
        return rest;
    }
    let Some((rest, month)) = rest.rsplit_once('-') else { return model };
    let Some((rest, year)) = rest.rsplit_once('-') else { return model };
    if digits(last, 2) && digits(month, 2) && digits(year, 4) { rest } else { model }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cached: u64, output: u64) -> Usage {
        Usage { input_tokens: input, cached_tokens: cached, output_tokens: output, cost_usd: None }
    }

    #[test]
    fn the_bundled_prices_can_be_read_and_are_dated() {
        let text = include_str!("../../../../resources/prices.txt");
        let prices = Prices::parse(text).expect("readable");
        assert_eq!(prices, Prices::bundled());
        assert!(prices.prices.len() > 30);
        assert_eq!(prices.date.len(), "2026-11-22".len(), "{}", prices.date);
        assert!(prices.source.contains("Anthropic") && prices.source.contains("OpenAI"));
        for price in &prices.prices {
            assert!(price.cached <= price.input && price.input < price.output, "{price:?}");
        }
    }

    #[test]
    fn what_turns_would_have_cost() {
        let prices = Prices::bundled();
        let million = 1_000_000;
        for (model, usage, expected) in [
            ("claude-opus-4-8", usage(million, 0, 0), Some(5.0)),
            ("claude-opus-4-8", usage(0, 0, million), Some(25.0)),
            ("claude-opus-4-8", usage(million, million, 0), Some(0.5)),
            ("claude-opus-4-8", usage(2 * million, million, million), Some(30.5)),
            // More from the cache than was read at all is a mistake of the provider's.
            ("claude-opus-4-8", usage(million, 9 * million, 0), Some(0.5)),
            ("claude-sonnet-4-5-20250929", usage(million, 0, 0), Some(3.0)),
            ("claude-sonnet-4-5[1m]", usage(million, 0, 0), Some(3.0)),
            ("Anthropic/claude-haiku-4-5", usage(million, 0, 0), Some(1.0)),
            ("claude-3-5-haiku-latest", usage(million, 0, 0), Some(0.8)),
            ("claude-fable-9-1", usage(million, 0, 0), Some(10.0)),
            ("gpt-5-2025-08-07", usage(million, 0, 0), Some(1.25)),
            ("openai/gpt-5.2-codex", usage(0, 0, million), Some(14.0)),
            // No guesses.
            ("claude-opus-9", usage(1, 0, 0), None),
            ("claude-opus", usage(1, 0, 0), None),
            ("gpt-5-something", usage(1, 0, 0), None),
            ("fake-model", usage(1, 0, 0), None),
            ("", usage(1, 0, 0), None),
            ("fake-model", usage(0, 0, 0), Some(0.0)),
        ] {
            let found = prices.estimate(Some(model), &usage);
            let same = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
                (found, expected) => found == expected,
            };
            assert!(same, "{model} {usage:?}: {found:?}, not {expected:?}");
        }
        assert_eq!(prices.estimate(None, &usage(1, 0, 0)), None);
        assert_eq!(prices.estimate(None, &usage(0, 0, 0)), Some(0.0));
    }

    #[test]
    fn the_longest_name_counts() {
        let prices = Prices::parse("a* 1 1 1\na-b* 2 2 2\na-b-c 3 3 3\n").expect("readable");
        for (model, expected) in [("a-x", 1.0), ("a-bx", 2.0), ("a-b-c", 3.0), ("a-b-cd", 2.0)] {
            let found = prices.estimate(Some(model), &usage(1_000_000, 0, 0));
            assert_eq!(found, Some(expected), "{model}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, line) in [
            ("a 1 2", 1),
            ("\n# x\na 1 2 3 4", 3),
            ("a 1 2 x", 1),
            ("a 1 2 -3", 1),
            ("a 1 2 NaN", 1),
            ("a 1 2 inf", 1),
        ] {
            let error = Prices::parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
        }
        assert_eq!(Prices::parse("").expect("nothing is fine"), Prices::default());
    }
}
