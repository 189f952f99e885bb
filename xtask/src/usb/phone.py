#!/usr/bin/env python3
"""A phone's side of USB, on Linux' FunctionFS: carries the ADB protocol between the two bulk endpoints and a simulated
daemon on TCP, as `adbd` before Android 9 did (blocking reads and writes, 16 KiB at a time).

    phone.py FOLDER PORT UDC   FOLDER is a mounted functionfs, UDC the gadget's file of that name; `ready` is printed when
                               descriptors are written

Every greeting (CNXN) of the host gets a connection of its own, since `adbd` drops all streams then. What a host does
wrong (a header not alone, a missing empty transfer) is printed as `WRONG` and ends the program: a phone would hang. A
payload that ends early, as where the host's program was killed behind its header, makes it leave the bus and come back.
"""
import os, socket, struct, sys, threading, time

PIECE, PACKET = 16384, 512
CNXN = struct.unpack("<I", b"CNXN")[0]


def descriptors():
    def of(packet):
        interface = struct.pack("<9B", 9, 4, 0, 0, 2, 255, 66, 1, 1)
        ends = b"".join(struct.pack("<BBBBHB", 7, 5, address, 2, packet, 0) for address in (0x81, 0x02))
        return interface + ends
    body = struct.pack("<II", 3, 3) + of(64) + of(512)
    return struct.pack("<III", 3, 12 + len(body), 3) + body


def strings():
    body = struct.pack("<H", 0x409) + b"ADB Interface\0"
    return struct.pack("<IIII", 2, 16 + len(body), 1, 1) + body


def wrong(*words):
    print("WRONG", *words, flush=True)
    os._exit(1)


class Cut(Exception):
    pass


class Phone:
    def __init__(self, folder, port, udc):
        self.folder, self.port, self.udc = folder, port, udc
        self.link, self.lock = None, threading.Lock()

    def run(self):
        control = os.open(self.folder + "/ep0", os.O_RDWR)
        os.write(control, descriptors())
        os.write(control, strings())
        self.into = os.open(self.folder + "/ep1", os.O_RDWR)
        self.out = os.open(self.folder + "/ep2", os.O_RDWR)
        print("ready", flush=True)
        threading.Thread(target=self.receive, daemon=True).start()
        while True:                         # events of 12 bytes; one of type 4 is a request that nobody makes of ADB
            for event in range(len(data := os.read(control, 12 * 8)) // 12):
                print("event", data[event * 12 + 8], flush=True)

    def read(self, length):
        """Exactly so many bytes, in reads that end where a short packet does."""
        data = b""
        while len(data) < length:
            piece = os.read(self.out, min(PIECE, length - len(data)))
            data += piece
            if len(piece) % PACKET and len(data) < length:
                raise Cut(f"{len(data)} bytes where {length} were announced")
        return data

    def leave(self):
        with open(self.udc) as file:
            name = file.read()
        for text in ("\n", name):
            with open(self.udc, "w") as file:
                file.write(text)
            time.sleep(0.3)

    def receive(self):
        while True:
            try:
                header = os.read(self.out, 24)
                if len(header) != 24:
                    wrong("a header of", len(header), "bytes")
                command, _, _, length, _, magic = struct.unpack("<6I", header)
                if magic != command ^ 0xFFFFFFFF:
                    wrong("a header that is none", header)
                payload = self.read(length)
                if length and length % PACKET == 0 and os.read(self.out, PACKET):
                    wrong("no empty transfer behind", length, "bytes")
            except Cut as cut:
                print("cut", cut, flush=True)
                self.leave()
                continue
            except OSError as error:        # the cable was pulled: the endpoint answers again when it is back
                print("unplugged", error, flush=True)
                continue
            with self.lock:
                if command == CNXN:
                    if self.link:
                        self.link.close()
                    self.link = socket.create_connection(("127.0.0.1", self.port))
                    threading.Thread(target=self.send, args=(self.link,), daemon=True).start()
                if self.link:
                    try:
                        self.link.sendall(header + payload)
                    except OSError:
                        pass

    def send(self, link):
        stream = link.makefile("rb")
        try:
            while len(header := stream.read(24)) == 24:
                payload = stream.read(struct.unpack("<6I", header)[3])
                os.write(self.into, header)
                for at in range(0, len(payload), PIECE):
                    os.write(self.into, payload[at:at + PIECE])
        except (OSError, ValueError) as error:
            print("link ended", error, flush=True)


Phone(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
