//! Filesystems and firmware images against what independent tools say of the same bytes.

#[cfg(test)]
mod firmware {
    mod ext4;
    mod trees;
    mod wrappings;
}
