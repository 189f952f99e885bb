//! Text that Android prints (`dumpsys`, `pm`, `getprop` ...), from a phone or a capture alike, as facts.
