//! The bearer credential of a request: none, exactly one, or a malformed request.
//!
//! Only the `Authorization` header carries a credential ([RFC 6750 §2.1], MCP), only once, and only as
//! `Bearer 1*SP token68` ([RFC 9110 §11.4]). Everything that another layer might read differently (two
//! headers, two credentials in one header, a tab, something after the token) is refused, never repaired.
//!
//! What this does not do: look at the token. Other schemes count as no bearer credentials.
//!
//! [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
//! [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4

/// The `Authorization` header holds something else than one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed Authorization header")]
pub(crate) struct MalformedCredentials;

/// The bearer token among `values`, the values of all `Authorization` headers of one request.
pub(crate) fn bearer<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'a str>, MalformedCredentials> {
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
    if !is_bearer(scheme) {
        // `Basic abc, Bearer xyz`: a proxy may read the first, somebody else the second.
        return if value.split(',').any(|part| is_bearer(first_word(part))) {
            Err(MalformedCredentials)
        } else {
            Ok(None)
        };
    }
    let token = rest.trim_start_matches(' ');
    if is_token68(token) {
        Ok(Some(token))
    } else {
        Err(MalformedCredentials)
    }
}

fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer")
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

    fn one(value: &str) -> Result<Option<&str>, MalformedCredentials> {
        bearer([value.as_bytes()])
    }

    #[test]
    fn one_bearer_credential_is_found_whatever_the_case_and_number_of_spaces() {
        for value in [
            "Bearer a.b-c_d~e+f/g==",
            "bearer a.b-c_d~e+f/g==",
            "BEARER    a.b-c_d~e+f/g==",
        ] {
            assert_eq!(one(value), Ok(Some("a.b-c_d~e+f/g==")), "{value}");
        }
    }

    #[test]
    fn no_header_and_other_schemes_are_no_credentials() {
        assert_eq!(bearer([]), Ok(None));
        for value in [
            "Basic dXNlcjpwYXNz",
            "Negotiate",
            "DPoP abc",
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
            "Basic \u{e4}",
            "Bearer abc\u{0}",
            "Bearer abc\r\nX: y",
        ] {
            assert_eq!(one(value), Err(MalformedCredentials), "{value:?}");
        }
        assert_eq!(
            bearer([&b"Bearer a\xffc"[..]]),
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
        ] {
            let values = [first.as_bytes(), second.as_bytes()];
            assert_eq!(bearer(values), Err(MalformedCredentials));
        }
    }
}
