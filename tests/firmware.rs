//! Filesystems and firmware images against what independent tools say of the same bytes.

mod firmware {
    mod ext4;
}
