//! A protected server as its clients see it: the whole service, without sockets.

mod browsers;
mod challenges;
mod credentials;
mod dpop;
mod envelope;
mod fixture;
mod linked;
mod lists;
mod metadata;
mod mounting;
mod mutual_tls;
mod sessions;
mod shutdown;
mod smuggling;
mod startup;
mod streams;
mod tools;
