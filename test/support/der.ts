/** DER of an ECDSA signature (X.690 section 8.3), written without lib: each INTEGER as few bytes as its sign allows. */
import { bytesOf } from './keys';

export function derInteger(n: bigint): Buffer {
  const hex = n.toString(16);
  const bytes = bytesOf(n, Math.ceil(hex.length / 2));
  const content = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return tagged(0x02, content);
}

export function derSignature(r: bigint, s: bigint): Buffer {
  return tagged(0x30, Buffer.concat([derInteger(r), derInteger(s)]));
}

/** Tag, one length byte, content: whatever the content is. */
export function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
