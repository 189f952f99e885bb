//! Phones, as far as captures of their answers are phones: real ones where they are at hand, and fictional ones.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "counts, and captures that are not here, are told")]

#[cfg(test)]
mod captures {
    mod double;
    mod failures;
    mod fictional;
    mod foreign;
    mod grants;
    mod hostile;
    #[path = "../support/pixel.rs"]
    mod pixel;
    mod real;
}
