//! The parameters of an OAuth request, from a query or a form.

use url::form_urlencoded;

use super::refusal::Refusal;

/// Parameters in the order they came. One without a value counts as left out (RFC 6749 §3.1).
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(encoded)
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The value of `name`, unless it was given twice: then it is nobody's to choose.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(first),
            Some(_) if name == "resource" => Err(Refusal::invalid_target(
                "ask for one resource at a time: a token is for one server",
            )),
            Some(_) => Err(REPEATED),
        }
    }

    /// The value of `name`, which `missing` says is needed.
    pub(super) fn required(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.get(name)?.ok_or(Refusal::invalid_request(missing))
    }

    /// Refuses a request that holds any parameter twice, also one that nobody here reads (RFC 6749 §3.1).
    pub(super) fn refuse_repeated(&self) -> Result<(), Refusal> {
        self.0
            .iter()
            .try_for_each(|(name, _)| self.get(name).map(drop))
    }
}

const REPEATED: Refusal = Refusal::invalid_request("a parameter was given more than once");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_without_a_value_counts_as_left_out() {
        let params = Params::parse(b"a=&b=1&c");
        assert_eq!(params.get("a"), Ok(None));
        assert_eq!(params.get("b"), Ok(Some("1")));
        assert_eq!(
            params.required("c", "no c").unwrap_err().description,
            "no c"
        );
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_when_both_agree() {
        let params = Params::parse(b"x=1&x=1&resource=a&resource=b");
        assert_eq!(params.get("x"), Err(REPEATED));
        assert_eq!(params.get("resource").unwrap_err().error, "invalid_target");
        assert!(params.refuse_repeated().is_err());
        assert!(Params::parse(b"x=1&y=1").refuse_repeated().is_ok());
    }
}
