//! The credential of a request: none, exactly one, or a malformed request.
//!
//! Only the `Authorization` header carries a credential ([RFC 6750 §2.1], [RFC 9449 §7.1], MCP), only once,
//! and only as `Bearer 1*SP token68` or `DPoP 1*SP token68` ([RFC 9110 §11.4]). Everything that another
//! layer might read differently (two headers, two credentials in one header, a tab, something after the
//! token) is refused, never repaired.
//!
//! What this does not do: look at the token. Other schemes count as no credentials.
//!
//! [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
//! [RFC 9449 §7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1
//! [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4

/// The `Authorization` header holds something else than one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed Authorization header")]
pub(crate) struct MalformedCredentials;

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    Dpop,
}

/// One token. No `Debug` outside of tests.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Credential<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a str,
}

/// The token among `values`, the values of all `Authorization` headers of one request.
pub(crate) fn credential<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<Credential<'a>>, MalformedCredentials> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(MalformedCredentials);
    }
    let value = std::str::from_utf8(value).map_err(|_| MalformedCredentials)?;
    let end = value.find(|c| !is_tchar(c)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).ok_or(MalformedCredentials)?;
    if scheme.is_empty() || !(rest.is_empty() || rest.starts_with(' ')) || !rest.is_ascii() {
        return Err(MalformedCredentials);
    }
    let Some(scheme) = Scheme::from_name(scheme) else {
        // `Basic abc, Bearer xyz`: a proxy may read the first, somebody else the second.
        let another = |part| Scheme::from_name(first_word(part)).is_some();
        return if value.split(',').any(another) {
            Err(MalformedCredentials)
        } else {
            Ok(None)
        };
    };
    let token = rest.trim_start_matches(' ');
    if is_token68(token) {
        Ok(Some(Credential { scheme, token }))
    } else {
        Err(MalformedCredentials)
    }
}

impl Scheme {
    fn from_name(name: &str) -> Option<Self> {
        [("bearer", Self::Bearer), ("dpop", Self::Dpop)]
            .into_iter()
            .find_map(|(ours, scheme)| name.eq_ignore_ascii_case(ours).then_some(scheme))
    }
}

fn first_word(part: &str) -> &str {
    let part = part.trim_start();
    part.split(|c| !is_tchar(c)).next().unwrap_or(part)
}

/// RFC 9110 §5.6.2.
fn is_tchar(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// RFC 9110 §11.2.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        // Without a branch for each byte the compiler looks at sixteen at a time: tokens are long.
        && body.bytes().fold(true, |all, b| {
            all & (b.is_ascii_alphanumeric()
                | (b'-'..=b'/').contains(&b)
                | (b == b'_')
                | (b == b'~')
                | (b == b'+'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> Result<Option<Credential<'_>>, MalformedCredentials> {
        credential([value.as_bytes()])
    }

    #[test]
    fn one_credential_is_found_whatever_the_case_and_number_of_spaces() {
        for (value, scheme) in [
            ("Bearer a.b-c_d~e+f/g==", Scheme::Bearer),
            ("bearer a.b-c_d~e+f/g==", Scheme::Bearer),
            ("BEARER    a.b-c_d~e+f/g==", Scheme::Bearer),
            ("DPoP a.b-c_d~e+f/g==", Scheme::Dpop),
            ("dpop a.b-c_d~e+f/g==", Scheme::Dpop),
            ("DPOP    a.b-c_d~e+f/g==", Scheme::Dpop),
        ] {
            let token = "a.b-c_d~e+f/g==";
            assert_eq!(
                one(value),
                Ok(Some(Credential { scheme, token })),
                "{value}"
            );
        }
    }

    #[test]
    fn no_header_and_other_schemes_are_no_credentials() {
        assert_eq!(credential([]), Ok(None));
        for value in [
            "Basic dXNlcjpwYXNz",
            "Negotiate",
            "DPoP2 abc",
            "Bearerabc",
            "Bearer2 abc",
            "Digest username=\"a\", realm=\"b\"",
        ] {
            assert_eq!(one(value), Ok(None), "{value}");
        }
    }

    #[test]
    fn anything_that_could_be_read_in_two_ways_is_malformed() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer\tabc",
            "Bearer \tabc",
            " Bearer abc",
            "\"Bearer\" abc",
            "Bearer=abc",
            "Bearer:abc",
            "Bearer abc ",
            "Bearer abc\t",
            "Bearer abc def",
            "Bearer abc realm=\"x\"",
            "Bearer token=\"abc\"",
            "Bearer abc=def",
            "Bearer =",
            "Bearer \"abc\"",
            "Bearer a\u{e4}c",
            "Bearer a%20c",
            "Bearer abc,def",
            "Bearer abc, Bearer abc",
            "Bearer abc,Bearer def",
            "Bearer abc, Basic def",
            "Basic abc, Bearer def",
            "Basic abc,bearer def",
            "Basic abc ,\tBEARER def",
            "Basic abc, DPoP def",
            "Bearer abc, DPoP def",
            "DPoP abc, Bearer def",
            "DPoP abc,DPoP abc",
            "DPoP",
            "DPoP\tabc",
            "DPoP abc def",
            "DPoP token=\"abc\"",
            "Basic \u{e4}",
            "Bearer abc\u{0}",
            "Bearer abc\r\nX: y",
        ] {
            assert_eq!(one(value), Err(MalformedCredentials), "{value:?}");
        }
        assert_eq!(
            credential([&b"Bearer a\xffc"[..]]),
            Err(MalformedCredentials),
            "not UTF-8"
        );
    }

    #[test]
    fn two_headers_are_malformed_even_when_they_are_identical() {
        for (first, second) in [
            ("Bearer a", "Bearer a"),
            ("Bearer a", "Bearer b"),
            ("Basic a", "Bearer b"),
            ("Bearer a", "Basic b"),
            ("Bearer a", "DPoP a"),
            ("DPoP a", "DPoP a"),
        ] {
            let values = [first.as_bytes(), second.as_bytes()];
            assert_eq!(credential(values), Err(MalformedCredentials));
        }
    }
}
