//! Values of options. The error is for the person who typed them.

use std::str::FromStr;

pub fn number<N: FromStr>(name: &str, text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("{name}: {text} is not a number it can take"))
}

pub fn probability(name: &str, text: &str, most: f64) -> Result<f64, String> {
    let value: f64 = number(name, text)?;
    if (0.0..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{name} is not between 0 and {most}"))
    }
}
