//! One file a verb: what was typed becomes a library call, and its result a file or a table.

pub mod convert;
pub mod de;
pub mod evaluate;
pub mod inspect;
pub mod latent;
pub mod simulate;
pub mod train;
