//! A protected server on a socket: what no HTTP library would let a test say.

mod fixture;
mod framing;
mod life;
mod secrets;
mod targets;
