//! Secrets of this server: typed, so that they are never printed.

use std::{env::VarError, fmt, io, path::Path};

use zeroize::Zeroizing;

/// A secret of this server, such as the one it authenticates with at an introspection endpoint.
///
/// It has no `Display`, its `Debug` says nothing, there is no way to read it back, and its memory is
/// overwritten when it is dropped. It belongs into a secret store, not into source:
///
/// ```no_run
/// use toolgate::Secret;
///
/// let from_the_environment = Secret::from_env("INTROSPECTION_SECRET")?;
/// # Ok::<(), std::env::VarError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret that the program got from somewhere.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The secret in an environment variable.
    ///
    /// # Errors
    ///
    /// When it is not set or is not UTF-8.
    pub fn from_env(variable: &str) -> Result<Self, VarError> {
        match std::env::var(variable) {
            Ok(secret) => Ok(Self::new(secret)),
            // The error would hold the secret.
            Err(_) if std::env::var_os(variable).is_some() => {
                Err(VarError::NotUnicode(Default::default()))
            }
            Err(error) => Err(error),
        }
    }

    /// The secret in a file, without the line end after it: as container platforms mount it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let text = Zeroizing::new(std::fs::read_to_string(path)?);
        Ok(Self::new(text.trim_end_matches(['\r', '\n'])))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self::new(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed_and_a_file_ends_before_its_line_end() {
        let file = std::env::temp_dir().join(format!("toolgate-secret-{}", std::process::id()));
        std::fs::write(&file, "s3cret \r\n").unwrap();
        let secret = Secret::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(secret.expose(), "s3cret ");
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)),
            "Secret(..) Some(\n    Secret(..),\n)"
        );
        assert!(Secret::read(&file).is_err());
        assert!(Secret::from_env("TOOLGATE_NO_SUCH_VARIABLE").is_err());
    }
}
