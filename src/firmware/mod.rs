//! An image in any wrapping, as partitions with Android's names.
