// Frames of a WebSocket server as RFC 6455 (5.2) lays them out: not masked, not compressed. Needed
// where a library would not send what is wanted.

const last = 0x80;
const text = 0x1;
const binary = 0x2;
const continuation = 0x0;

export function textFrame(payload: Buffer): Buffer {
  return frame(last | text, payload);
}

export function binaryFrame(payload: Buffer): Buffer {
  return frame(last | binary, payload);
}

/** One text message of `count` fragments with a space in each. */
export function fragmentedFrames(count: number): Buffer {
  const bytes = Buffer.alloc(3 * count);
  for (let index = 0; index < count; index++) {
    const opcode = index === 0 ? text : continuation;
    bytes[3 * index] = index === count - 1 ? last | opcode : opcode;
    bytes[3 * index + 1] = 1;
    bytes[3 * index + 2] = 0x20;
  }
  return bytes;
}

function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  let header: Buffer;
  if (length < 126) {
    header = Buffer.from([first, length]);
  } else if (length < 0x1_0000) {
    header = Buffer.from([first, 126, 0, 0]);
    header.writeUInt16BE(length, 2);
  } else {
    header = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(length, 6);
  }
  return Buffer.concat([header, payload]);
}
