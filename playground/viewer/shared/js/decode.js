// A payload: u32 length of a JSON header, the header, then little-endian arrays aligned to 8 bytes.

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

export function decodePayload(bytes) {
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength)));
  const arrays = {};
  for (const [name, section] of Object.entries(header.sections)) {
    arrays[name] = readArray(bytes, 4 + headerLength + section.offset, section);
  }
  return { header, arrays };
}

// Typed arrays need aligned bytes, but the payload may start anywhere in a larger message: then copy.
function readArray(bytes, start, { dtype, length }) {
  const Kind = ARRAYS[dtype];
  const size = length * Kind.BYTES_PER_ELEMENT;
  const offset = bytes.byteOffset + start;
  if (offset % Kind.BYTES_PER_ELEMENT === 0) return new Kind(bytes.buffer, offset, length);
  return new Kind(bytes.slice(start, start + size).buffer, 0, length);
}
