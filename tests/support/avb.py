"""Android Verified Boot by the documents of AOSP's external/avb (README.md, avb_vbmeta_image.h, avb_footer.h and the headers of
the descriptors), independent of the program under test.

`write FOLDER` adds vbmeta.img, vbmeta_system.img, boot.img and dtbo.img to a folder that has system.img, and footers.
`digest FOLDER` reads such a folder anew and prints SHA-256 and SHA-512 over the chain, as
avb_slot_verify_data_calculate_vbmeta_digest() does."""

import hashlib, os, struct, sys

BLOCK = 4096


def structure(descriptors, algorithm=0, flags=0):
    body = b''.join(descriptors)
    auxiliary = body + bytes(-len(body) % 64)
    header = struct.pack('>4sIIQQIQQQQQQQQQQQII48s80s', b'AVB0', 1, 2, 0, len(auxiliary), algorithm, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         len(body), 0, flags, 0, b'avbtool 1.2.0', b'')
    assert len(header) == 256, len(header)
    return header + auxiliary


def descriptor(tag, fixed, *variable):
    body = fixed + b''.join(variable)
    body += bytes(-len(body) % 8)
    return struct.pack('>QQ', tag, len(body)) + body


def chain(name, key):
    return descriptor(4, struct.pack('>IIII60s', 1, len(name), len(key), 0, b''), name, key)


def hash_of(name, image, salt):
    value = hashlib.sha256(salt + image).digest()
    fixed = struct.pack('>Q32sIIII60s', len(image), b'sha256', len(name), len(salt), len(value), 0, b'')
    return descriptor(2, fixed, name, salt, value)


def tree(image, salt, algorithm):
    """The root of the hash tree and its size: levels from the data up, digests padded to a power of two."""
    make = lambda block: hashlib.new(algorithm, salt + block.ljust(BLOCK, b'\0')).digest()
    width = 1 << (len(make(b'')) - 1).bit_length()
    level, size = image, 0
    while len(level) > BLOCK:
        digests = b''.join(make(level[at:at + BLOCK]).ljust(width, b'\0') for at in range(0, len(level), BLOCK))
        level = digests + bytes(-len(digests) % BLOCK)
        size += len(level)
    return make(level), size


def hashtree_of(name, image, salt, algorithm=b'sha1'):
    root, size = tree(image, salt, algorithm.decode())
    fixed = struct.pack('>IQQQIIIQQ32sIIII60s', 1, len(image), len(image), size, BLOCK, BLOCK, 0, 0, 0, algorithm, len(name), len(salt),
                        len(root), 0, b'')
    return descriptor(1, fixed, name, salt, root)


def with_footer(image, vbmeta, size):
    at = len(image) + -len(image) % BLOCK
    out = image.ljust(at, b'\0') + vbmeta
    assert len(out) + 64 <= size
    return out.ljust(size - 64, b'\0') + struct.pack('>4sIIQQQ28s', b'AVBf', 1, 0, len(image), at, len(vbmeta), b'')


def write(folder):
    def put(name, content):
        with open(os.path.join(folder, name), 'wb') as out:
            out.write(content)
    with open(os.path.join(folder, 'system.img'), 'rb') as source:
        system = source.read()
    boot, dtbo = bytes(range(256)) * 300, b'dtbo' * 5000
    put('boot.img', with_footer(boot, structure([hash_of(b'boot', boot, b'salt of boot')]), 1 << 17))
    put('dtbo.img', with_footer(dtbo, structure([hash_of(b'dtbo', dtbo, b'salt of dtbo')]), 1 << 16))
    put('vbmeta_system.img', structure([hashtree_of(b'system', system, b'salt of system')]).ljust(1 << 14, b'\0'))
    put('vbmeta.img', structure([
        chain(b'boot', b'key of boot'),
        hash_of(b'dtbo', dtbo, b'salt of dtbo'),
        descriptor(0, struct.pack('>QQ', 3, 5), b'key\0', b'value\0'),
        chain(b'vbmeta_system', b'key'),
    ]).ljust(1 << 14, b'\0'))


def read(folder, name):
    with open(os.path.join(folder, name + '.img'), 'rb') as source:
        data = source.read()
    if not name.startswith('vbmeta'):
        footer = data[-64:]
        assert footer[:4] == b'AVBf', name
        offset, size = struct.unpack('>QQ', footer[20:36])
        data = data[offset:offset + size]
    assert data[:4] == b'AVB0', name
    authentication, auxiliary = struct.unpack('>QQ', data[12:28])
    whole = data[:256 + authentication + auxiliary]
    start, length = struct.unpack('>QQ', data[96:112])
    descriptors = whole[256 + authentication:][start:start + length]
    names = []
    while descriptors:
        tag, follows = struct.unpack('>QQ', descriptors[:16])
        if tag == 4:
            (size,) = struct.unpack('>I', descriptors[20:24])
            names.append(descriptors[92:92 + size].decode())
        descriptors = descriptors[16 + follows:]
    return whole, names


def chained(folder, name='vbmeta'):
    whole, names = read(folder, name)
    return whole + b''.join(chained(folder, inner) for inner in names)


if sys.argv[1] == 'write':
    write(sys.argv[2])
else:
    everything = chained(sys.argv[2])
    print(hashlib.sha256(everything).hexdigest(), hashlib.sha512(everything).hexdigest())
