import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { checkIcon } from '../../shared/rsp/icon.ts';
import { expectRefusal } from '../support/refusal.ts';

const uint32 = (value: number) => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
};

/** Without checksums, which nothing here looks at. */
function png(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) =>
    Buffer.concat([uint32(data.length), Buffer.from(type), data, Buffer.alloc(4)]);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', Buffer.concat([uint32(width), uint32(height), Buffer.of(8, 0, 0, 0, 0)])),
    chunk('IDAT', deflateSync(Buffer.alloc((width + 1) * height))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** JFIF header, quantisation table, Huffman table, then the frame. */
function jpeg(width: number, height: number, frame = 0xc0, fill = ''): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(height);
  size.writeUInt16BE(width, 2);
  const hex = [
    'ffd8ffe000104a46494600010100000100010000',
    `ffdb0043${'00'.repeat(65)}`,
    'ffc4000500aabb',
    `${fill}ff${frame.toString(16)}000b08`,
    `${size.toString('hex')}01011100ffd9`,
  ];
  return Buffer.from(hex.join(''), 'hex');
}

describe('an icon is a PNG or JPEG of 64 × 64 pixels (SGP.22 section 5.5.3)', {
  tags: ['ES8-METADATA'],
}, () => {
  it('takes those that are: baseline, progressive, with fill octets', () => {
    checkIcon('png', png(64, 64));
    checkIcon('jpg', jpeg(64, 64));
    checkIcon('jpg', jpeg(64, 64, 0xc2, 'ffff'));
  });

  it.each([
    ['png', png(64, 63), '64 × 63'],
    ['png', png(128, 128), '128 × 128'],
    ['jpg', jpeg(32, 64), '32 × 64'],
  ] as const)('refuses another size: %s', (type, icon, size) => {
    const refusal = expectRefusal('metadataInvalid', () => checkIcon(type, icon));
    expect(refusal.message).toContain(size);
    expect(refusal.subjectIdentifier).toBe('metadata.icon');
  });

  it.each([
    ['png', jpeg(64, 64)],
    ['jpg', png(64, 64)],
    ['png', png(64, 64).subarray(0, 20)],
    ['jpg', jpeg(64, 64).subarray(0, 30)],
    ['jpg', Buffer.from('ffd8ffe00000', 'hex')],
    ['jpg', Buffer.from('ffd8ffe000004a4649460001', 'hex')],
    ['png', Buffer.alloc(0)],
  ] as const)('refuses what is no %s, and what ends before its size', (type, icon) => {
    expect(expectRefusal('metadataInvalid', () => checkIcon(type, icon)).message).toContain(`no ${type}`);
  });
});
