//! Who is calling? From the `Authorization` header to a verified token.

pub(crate) mod token;
