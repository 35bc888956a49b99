"""Writes files of the real safetensors, and files that it refuses, for the tests of the codec.

    python scripts/bridges/make_safetensors_fixtures.py

Needs safetensors 0.8: `pip install safetensors`. In `packages/checkpoint/test/fixtures/safetensors`:

- `dtypes.safetensors` has a tensor of every dtype that Python can write, `names.safetensors` has unusual names, scalars, empty tensors and
  metadata, `nothing.safetensors` has no tensors;
- `headers.json` lists headers, each with a length of data, and whether safetensors accepts the file. A header is text, or
  the bytes in base64.
"""

import base64
import ctypes
import json
import pathlib
import re
import struct

from safetensors import SafetensorError, TensorSpec, deserialize, serialize

FOLDER = pathlib.Path(__file__).parents[2] / "packages/checkpoint/test/fixtures/safetensors"

# Python's names of all dtypes but F6_E3M2 and F6_E2M3, which it cannot write. Those of F4 are two in a byte.
DTYPES = """
    float64 int64 uint64 complex64 float32 int32 uint32 float16 bfloat16 int16 uint16 int8 uint8 bool
    float8_e5m2 float8_e4m3fn float8_e8m0fnu float8_e5m2fnuz float8_e4m3fnuz float4_e2m1fn_x2
""".split()

U8 = '"dtype":"U8","shape":[1],"data_offsets":[0,1]'


def u8(shape="[1]", offsets="[0,1]", dtype='"U8"'):
    return '{"a":{"dtype":%s,"shape":%s,"data_offsets":%s}}' % (dtype, shape, offsets)


HEADERS = [
    # White space and the whole.
    ("{}", 0), (" {}", 0), ("{}\n\t ", 0), ("", 0), ("[]", 0), ("null", 0), ("{}x", 0), ("{}\0", 0), ("{", 0), ("{,}", 0),
    (b"\xef\xbb\xbf{}", 0), ("\u00a0{}", 0), ("{}" + " " * 1000, 0), ("{%s}" % ('"a":{%s},' % U8), 1),
    # Metadata.
    ('{"__metadata__":null}', 0), ('{"__metadata__":{}}', 0), ('{"__metadata__":{"a":"b"}}', 0),
    ('{"__metadata__":{"a":1}}', 0), ('{"__metadata__":{"a":null}}', 0), ('{"__metadata__":[]}', 0),
    ('{"__metadata__":{%s}}' % U8, 1), ('{"__metadata__":{},"__metadata__":{}}', 0), ('{"__metadata__":nul}', 0),
    ('{"__metadat\\u0061__":{"a":"b"}}', 0), ('{"__metadata__":{"a":"b","a":"c"}}', 0),
    # Names.
    ('{"":{%s}}' % U8, 1), ('{"__proto__":{%s}}' % U8, 1), ('{"constructor":{%s}}' % U8, 1), ('{"\\ud800":{%s}}' % U8, 1),
    ('{"\\ud83d\\ude00":{%s}}' % U8, 1), ('{"\\ude00\\ud83d":{%s}}' % U8, 1), ('{"a\tb":{%s}}' % U8, 1),
    ('{"\\u0000":{%s}}' % U8, 1), ('{"\\x41":{%s}}' % U8, 1), ('{"\x7f\u2028":{%s}}' % U8, 1),
    (b'{"\xff":{%s}}' % U8.encode(), 1), (b'{"\xed\xa0\x80":{%s}}' % U8.encode(), 1), (b'{"\xc0\x80":{%s}}' % U8.encode(), 1),
    ("{'a':{%s}}" % U8, 1), ('{a:{%s}}' % U8, 1),
    ('{"a":{%s},"a":{%s}}' % (U8, U8), 1), ('{"a":{%s},"\\u0061":{%s}}' % (U8, U8), 1),
    # Fields.
    ('{"a":null}', 0), ('{"a":{}}', 0), ('{"a":{"dtype":"U8","shape":[1]}}', 1), ('{"a":{"dtype":"U8",%s}}' % U8, 1),
    ('{"a":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"}}', 1), ('{"a":{"\\u0064type":"\\u00558","shape":[1],"data_offsets":[0,1]}}', 1),
    ('{"a":{"x":1,%s}}' % U8, 1), ('{"a":{"x":%s1%s,%s}}' % ("[" * 100, "]" * 100, U8), 1),
    ('{"a":{"x":%s1%s,%s}}' % ("[" * 200, "]" * 200, U8), 1), ('{"a":{"x":1e400,%s}}' % U8, 1),
    ('{"a":["U8",[1],[0,1]]}', 1), ('{"a":["U8",[1]]}', 1), (u8(dtype='{"U8":null}'), 1), (u8(dtype='{"U8":1}'), 1),
    (u8(dtype="0"), 1), (u8(dtype='"u8"'), 1), (u8(dtype='"I4"'), 1), (u8(dtype='"toString"'), 1), (u8(dtype="null"), 1),
    # Numbers.
    *[(u8(shape=f"[{n}]"), 1) for n in ["1.0", "1e0", "01", '"1"', "-1", "+1", "0x1", "true", "null", "[1]", "0.99999999999999999", "NaN", "1e400"]],
    (u8("[-0]", "[0,0]"), 0), (u8("[0]", "[-0,0]"), 0), (u8("[0]", "[0,0]"), 0), (u8("[0,-1]", "[0,0]"), 0),
    (u8("[1]", "[0,1.0]"), 1), (u8("[1]", "[0]"), 1), (u8("[1]", "[0,1,1]"), 1), (u8("[1]", "[]"), 1), (u8("[1]", '{"0":0,"1":1}'), 1),
    (u8("[1]", "[1,0]"), 1), (u8("null"), 1), (u8("{}"), 1), (u8("[]"), 1), (u8("[1,1,1,1,1,1,1,1,1,1]"), 1), (u8("[1,]"), 1),
    # Overflow.
    (u8("[9007199254740991]", "[0,9007199254740991]"), 1), (u8("[18446744073709551615]", "[0,18446744073709551615]"), 1),
    (u8("[4294967296,4294967296]", "[0,0]"), 0), (u8("[2147483648,2147483648,4]", "[0,0]"), 0),
    (u8("[18446744073709551615,2,0]", "[0,0]"), 0), (u8("[0,18446744073709551616]", "[0,0]"), 0),
    (u8("[0,18446744073709551615]", "[0,0]"), 0), (u8("[0,9007199254740992]", "[0,0]"), 0), (u8("[9007199254740993,0]", "[0,0]"), 0),
    (u8("[0,9007199254740991]", "[0,0]"), 0), (u8("[1]", "[18446744073709551615,0]"), 1),
    (u8("[2305843009213693952]", "[0,0]", '"F64"'), 0), (u8("[1000000000000]", "[0,8000000000000]", '"F64"'), 8),
    # Sizes, overlaps and holes.
    (u8(), 0), (u8(), 2), (u8("[2]", "[0,1]"), 1), (u8("[1]", "[0,2]"), 2), (u8("[1]", "[1,2]"), 2), (u8("[4]", "[0,4]", '"F32"'), 4),
    (u8("[1]", "[0,1]", '"F4"'), 1), (u8("[3]", "[0,1]", '"F4"'), 1), (u8("[2]", "[0,1]", '"F4"'), 1), (u8("[4]", "[0,3]", '"F6_E3M2"'), 3),
    ('{"a":{%s},"b":{%s}}' % (U8, U8), 1), ('{"a":{%s},"b":{%s}}' % (U8, U8.replace("0,1", "1,2")), 2),
    ('{"b":{%s},"a":{%s}}' % (U8.replace("0,1", "1,2"), U8), 2), ('{"a":{%s},"b":{%s}}' % (U8, U8.replace("0,1", "2,3")), 3),
    ('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', 4),
    ('{"a":{"dtype":"U16","shape":[1],"data_offsets":[1,3]},"b":{%s}}' % U8, 3),
    # Tensors without bytes.
    ('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{%s},"c":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}' % U8, 1),
    ('{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2),
    ('{"a":{"dtype":"U8","shape":[0],"data_offsets":[9,9]}}', 0), ('{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}', 1),
    ('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0),
]  # fmt: skip


def accepts(header, length):
    try:
        deserialize(struct.pack("<Q", len(header)) + header + bytes(length))
    except SafetensorError:
        return False
    return True


def headers():
    for header, length in HEADERS:
        accepted = accepts(header if isinstance(header, bytes) else header.encode(), length)
        if isinstance(header, bytes):
            yield {"base64": base64.b64encode(header).decode(), "dataLength": length, "accepted": accepted}
        else:
            yield {"text": header, "dataLength": length, "accepted": accepted}


def write(name, tensors, metadata=None):
    """Tensors as dtype, shape and length in bytes. Byte i of a tensor is 37 i modulo 256."""
    buffers = {key: ctypes.create_string_buffer(bytes(37 * i % 256 for i in range(n)), n) for key, (_, _, n) in tensors.items()}
    specs = {
        key: TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffers[key]), data_len=n)
        for key, (dtype, shape, n) in tensors.items()
    }
    FOLDER.joinpath(name).write_bytes(serialize(specs, metadata))


def size_of(dtype):
    bits = re.search(r"8_|64|32|16|8", dtype)
    return int(bits[0].rstrip("_")) // 8 if bits else 1


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write("nothing.safetensors", {})
    # Six elements of shape [2, 3], except F4, whose shape is that of its bytes.
    write("dtypes.safetensors", {dtype: (dtype, [2, 3], 6 * size_of(dtype)) for dtype in DTYPES})
    names = {
        "": ("float32", [], 4),
        "__proto__": ("int64", [1], 8),
        "quote \" backslash \\ tab \t": ("uint8", [3], 3),
        "é, 中文, 😀": ("float64", [1, 1, 2], 16),
        "empty": ("float32", [0], 0),
        "empty, too": ("uint8", [3, 0, 2], 0),
    }
    write("names.safetensors", names, {"": "empty", "😀": "\n\u2028", "__proto__": "text"})
    lines = ",\n".join("  " + json.dumps(header) for header in headers())
    FOLDER.joinpath("headers.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
