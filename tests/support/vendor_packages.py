# Packages of vendors around `system.img` and `vendor.img`, packed field by field from each format's description. Python 3 alone.
import os, struct, zlib
from struct import pack
S, V = open('system.img', 'rb').read(), open('vendor.img', 'rb').read()
SPARSE = open('system.simg', 'rb').read()
def put(name, *parts):
    with open(name, 'wb') as out:
        for part in parts: out.write(part)

def huawei(name, data, hardware=b'HW7x27\xff\xff'):
    blocks = (len(data) + 4095) // 4096
    head = b'\x55\xaa\x5a\xa5' + pack('<II8sII16s16s16s16sHHH', 98 + 2 * blocks, 1, hardware, 0, len(data),
        b'2020.01.02', b'03.04.05', name, b'', 0, 4096, 0) + bytes(2 * blocks)
    record = head + data
    return record + bytes(-len(record) % 4)
put('UPDATE.APP', bytes(92), huawei(b'SHA256RSA', b'x' * 257), huawei(b'VERLIST', b'list'), huawei(b'SYSTEM', SPARSE), huawei(b'VENDOR', V))

def wide(text, size): return text.encode('utf-16le').ljust(size, b'\0')
def pac(files):
    at = 2124 + 2580 * len(files)
    heads, body = b'', b''
    for ident, name, data in files:
        flag = 1 if data else 0
        head = pack('<I', 2580) + wide(ident, 512) + wide(name, 512) + bytes(504)
        head += pack('<IIIIII', 0, 0, len(data), flag, 1, at if data else 0) + bytes(4 + 4 + 4 * 5 + 4 * 249)
        assert len(head) == 2580, len(head)
        heads += head
        body += data
        at += len(data)
    top = wide('BP_R2.0.1', 44) + pack('<II', 0, at) + wide('s9863a', 512) + wide('fw', 512) + pack('<IIIIIII', len(files), 2124, 0, 1, 0, 0, 0)
    top += wide('', 200) + pack('<III', 0, 0, 0) + bytes(800) + pack('<IHH', 0xFFFAFFFA, 0, 0)
    assert len(top) == 2124, len(top)
    return top + heads + body
put('firmware.pac', pac([('', 'fw.xml', b'<BMAConfig/>'), ('FDL', 'fdl1.bin', b'DHTB'), ('EraseUD', '', b''), ('System', 'system.img', S), ('Vendor', 'vendor.img', V)]))

def rkaf(files):
    entries, body = b'', bytes(2048)
    for name, path, data in files:
        padded = (len(data) + 2047) // 2048 * 2048
        entries += pack('<32s60sIIIII', name, path, padded // 512, len(body) if data else 0xffffffff, 0, padded, len(data))
        body += data + bytes(padded - len(data))
    top = b'RKAF' + pack('<I34s30s56sIII', len(body), b'rk3328', b'007', b'rockchip', 0, 0x08010000, len(files)) + entries
    body = top.ljust(2048, b'\0') + body[2048:]
    return body + pack('<I', 0)
inner = rkaf([(b'package-file', b'package-file', b'list'), (b'parameter', b'parameter.txt', b'PARM....'), (b'system', b'Image/system.img', S),
    (b'vendor', b'Image/vendor.img', V), (b'backup', b'RESERVED', b'')])
loader = b'BOOTf' + bytes(1000)
top = b'RKFW' + pack('<HII7sIIIII', 0x66, 0x01000000, 0x02000000, bytes(7), 0x33333243, 0x66, len(loader), 0x66 + len(loader), len(inner))
put('update.img', top.ljust(0x66, b'\0'), loader, inner, b'0123456789abcdef0123456789abcdef')

def aml(version, items):
    width = 32 if version == 1 else 256
    at = 64 + len(items) * (64 + 2 * width)
    table, body = b'', b''
    for number, (main, sub, kind, data) in enumerate(items):
        table += pack('<IIQQQ', number, kind, 0, at + len(body), len(data)) + main.ljust(width, b'\0') + sub.ljust(width, b'\0') + pack('<IHH24s', 0, 0, 0, b'')
        body += data
    rest = pack('<IIQII36s', version, 0x27B51956, at + len(body), 4, len(items), b'') + table + body
    return pack('<I', zlib.crc32(rest) ^ 0xffffffff) + rest
for version in (1, 2):
    put('aml%d.img' % version, aml(version, [(b'USB', b'DDR', 0, b'ddr'), (b'PARTITION', b'system', 0xfe, SPARSE), (b'VERIFY', b'system', 0, b'sha1sum 00'),
        (b'PARTITION', b'vendor', 0, V), (b'conf', b'platform', 0, b'Platform:0x0811')]))

def imagewty(version, files):
    at = 1024 + 1024 * len(files)
    heads, body = b'', b''
    for name, data in files:
        stored = (len(data) + 15) // 16 * 16
        head = pack('<II8s16s', 256, 1024, b'RFSFAT16', name.upper()[:8] + b'_FEX0000')
        if version == 0x300: head += pack('<I256sIIIII', 0, name, stored, 0, len(data), 0, at + len(body))
        else: head += pack('<IIIII256s', 0, stored, len(data), at + len(body), 0, name)
        heads += head.ljust(1024, b'\0')
        body += data.ljust(stored, b'\0')
    ids = pack('<IIII', 0x1234, 0x8743, 0x100, 0x100)
    fields = (pack('<I', 0) if version == 0x300 else b'') + ids + pack('<IIIIIIII', 1, 1024, len(files), 1024, 0, 0, 0, 0)
    top = b'IMAGEWTY' + pack('<IIIIII', version, 0x60 if version == 0x300 else 0x50, 0x04D00000, 0x00100234, at + len(body), 1024) + fields
    return top.ljust(1024, b'\0') + heads + body
for version in (0x100, 0x300):
    put('wty%x.img' % version, imagewty(version, [(b'sys_config.fex', b'[product]'), (b'system.fex', SPARSE), (b'Vsystem.fex', b'sum.'), (b'vendor.fex', V)]))

def star(files):
    out = b'SINGLE_N_LONELY'.ljust(256, b'\0')
    for name, data in files + [(b'LONELY_N_SINGLE', b'')]:
        out += name.ljust(248, b'\0') + pack('<Q', len(data)) + data + bytes(-len(data) % 4096)
    return out
put('star.img', star([(b'gpt.bin', b'gpt'), (b'system.img', SPARSE), (b'vendor.img', V)]))

def folder(name, **files):
    os.mkdir(name)
    for file, data in files.items(): put(name + '/' + file.replace('__', '.').replace('_sign', '-sign'), *data)
folder('mediatek', system_sign__img=[b'SSSS' + bytes(56) + pack('<I', len(S)), S, bytes(256)], vendor_sign__img=[b'BFBF'.ljust(0x4040, b'\1'), V])
folder('motorola', system__img=[b'MOTO'.ljust(131072, b'\0'), S], vendor__img=[b'ASUS'.ljust(4096, b'\7'), V])
half = len(S) // 2 // 4096 * 4096
folder('qualcomm', system_1__img=[S[:half]], system_2__img=[S[half + 8192:]], opaque__bin=[V])
# The two blocks between the pieces are the ones that the test made sure are zero, or the piece is longer.
zero = S[half:half + 8192] == bytes(8192)
if not zero: put('qualcomm/system_1.img', S[:half + 8192])
row = '<program SECTOR_SIZE_IN_BYTES="4096" file_sector_offset="0" filename="%s" label="%s" num_partition_sectors="%d" physical_partition_number="0" sparse="false" start_sector="%d"/>\n'
first = half // 4096 + (0 if zero else 2)
xml = '<?xml version="1.0" ?>\n<data>\n<!--generated-->\n' + row % ('system_1.img', 'system_a', first, 10000) + row % ('system_2.img', 'system_a', (len(S) - half) // 4096 - 2, 10000 + half // 4096 + 2)
xml += row % ('opaque.bin', 'vendor_a', len(V) // 4096, 90000) + row % ('', 'userdata', 1, 99999) + '</data>'
put('qualcomm/rawprogram_unsparse0.xml', xml.encode())
third = len(S) // 3 // 512 * 512 + 512
folder('pieces', **{'vendor__img': [V]})
for number in range(3): put('pieces/system.img.%03d' % (number + 1), S[number * third:(number + 1) * third])
folder('scatter', raw1__bin=[S], raw2__bin=[V])
put('scatter/MT6765_Android_scatter.txt', b'- general: MTK_PLATFORM_CFG\n- partition_index: SYS1\n  partition_name: system\n  file_name: raw1.bin\n  is_download: true\n'
    b'- partition_index: SYS2\n  partition_name: vendor\n  file_name: raw2.bin\n')
