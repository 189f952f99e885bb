//! Phones, as far as captures of their answers are phones: real ones where they are at hand, and fictional ones.

#[cfg(test)]
#[path = "captures/double.rs"]
mod double;
#[cfg(test)]
#[path = "captures/failures.rs"]
mod failures;
#[cfg(test)]
#[path = "captures/fictional.rs"]
mod fictional;
#[cfg(test)]
#[path = "captures/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "captures/real.rs"]
mod real;
