//! The command line, of which each takes what is its own.

use std::{net::SocketAddrV4, str::FromStr};

/// What the command line says and nobody has taken yet.
pub struct Arguments(Vec<(String, Option<String>)>);

impl Arguments {
    /// Reads options such as `--name VALUE`, `--name=VALUE` and `--name`.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options: Vec<(String, Option<String>)> = Vec::new();
        for argument in arguments {
            if let Some(name) = argument.strip_prefix("--") {
                let (name, value) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (name, None),
                };
                options.push((name.to_owned(), value));
                continue;
            }
            match options.last_mut() {
                Some((_, value @ None)) => *value = Some(argument),
                _ => return Err(format!("what is {argument}?")),
            }
        }
        Ok(Self(options))
    }

    /// Whether an option without value is there.
    pub fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.take(name) {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(_)) => Err(format!("--{name} takes no value")),
        }
    }

    pub fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(format!("--{name} needs a value")),
        }
    }

    /// One that must be there.
    pub fn needed(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?
            .ok_or_else(|| format!("--{name} is missing"))
    }

    /// The values of an option that may be given several times.
    pub fn all(&mut self, name: &str) -> Result<Vec<String>, String> {
        let mut values = Vec::new();
        while let Some(value) = self.text(name)? {
            values.push(value);
        }
        Ok(values)
    }

    pub fn number<N: FromStr>(&mut self, name: &str, default: N) -> Result<N, String> {
        match self.text(name)? {
            None => Ok(default),
            Some(value) => read(name, &value),
        }
    }

    /// One of two words; the first is the default.
    pub fn either(&mut self, name: &str, words: [&str; 2]) -> Result<bool, String> {
        match self.text(name)? {
            None => Ok(true),
            Some(value) if value == words[0] => Ok(true),
            Some(value) if value == words[1] => Ok(false),
            Some(value) => Err(format!(
                "--{name} {value}: neither {} nor {}",
                words[0], words[1]
            )),
        }
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!(
                "--{name} is no option of this role, or stands twice"
            )),
        }
    }

    fn take(&mut self, name: &str) -> Option<Option<String>> {
        let place = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.remove(place).1)
    }
}

/// A value of the type that is wanted.
pub fn read<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("--{name}: {value} is not what it can take"))
}

/// An address, IP and port.
pub fn address(name: &str, value: &str) -> Result<SocketAddrV4, String> {
    value
        .parse()
        .map_err(|_| format!("--{name}: {value} is not IP:PORT"))
}
