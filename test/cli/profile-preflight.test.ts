import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { installationErrors } from '../../cli/commands/profile/errors.ts';
import { encodeBits } from '../../shared/codec/bit-string.ts';
import { repeatedMember } from '../../shared/codec/json-names.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { PE_STATUS } from '../../shared/rsp/euicc-response.ts';
import { ERROR_REASONS } from '../../shared/rsp/installation-error.ts';
import { create, withFile } from '../profile/package/support/build.ts';
import * as good from '../profile/package/support/good-packages.ts';
import { Folder } from './support/binding-bench.ts';
import { runCli } from './support/cli.ts';

const folder = new Folder();
afterAll(() => folder.remove());

interface Euicc {
  readonly version?: readonly number[];
  readonly free?: number;
  /** Bits of UICCCapability. */
  readonly capabilities?: readonly number[];
}
const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 19, 20, 22, 23, 24];

/** An EuiccInfo2 with what preflight reads. */
function euicc(
  { version = [2, 3, 1], free = 500_000, capabilities = ALL }: Euicc,
  name = 'info2.der',
): string {
  const memory = Buffer.of(free >>> 24, (free >>> 16) & 0xff, (free >>> 8) & 0xff, free & 0xff);
  const info = tlv(
    0xbf22,
    tlv(0x81, Buffer.from(version)),
    tlv(0x82, Buffer.of(2, 5, 0)),
    tlv(0x83, Buffer.of(1, 0, 0)),
    tlv(0x84, tlv(0x81, Buffer.of(0)), tlv(0x82, memory), tlv(0x83, Buffer.of(0x10, 0))),
    tlv(0x85, encodeBits(capabilities)),
    tlv(0x88, encodeBits([0])),
    tlv(0xa9, tlv(0x04, Buffer.alloc(20, 1))),
    tlv(0xaa, tlv(0x04, Buffer.alloc(20, 1))),
    tlv(0x04, Buffer.of(1, 0, 0)),
    tlv(0x0c, Buffer.from('XX-YY-20260101-01')),
  );
  return folder.write(name, info);
}

interface Answer {
  readonly memory: number;
  readonly euiccs: readonly {
    installs: boolean;
    findings: readonly { severity: string; code: string; message: string }[];
  }[];
}
async function preflight(upp: Uint8Array, infos: readonly string[], ...more: readonly string[]) {
  const { code, json } = await runCli(
    ...['profile', 'preflight', '--template', folder.write('template.der', upp)],
    ...['--euicc-info2', ...infos, '--json', ...more],
  );
  return { exit: code, ...json<Answer>() };
}
const found = ({ euiccs }: Answer) =>
  euiccs.map(({ findings }) => findings.map(({ severity, code }) => `${severity} ${code}`));

describe('smdpf profile preflight', () => {
  it('a template fits the eUICCs that have all of it', async () => {
    const answer = await preflight(good.own, [euicc({})]);
    expect(answer).toMatchObject({ exit: 0, euiccs: [{ installs: true, findings: [] }] });
    // EF.SMS alone has 1760 octets
    expect(answer.memory).toBeGreaterThan(good.own.length);
  });
  it.each<readonly [string, Euicc, readonly string[]]>([
    ['another major version', { version: [3, 1, 0] }, ['error version']],
    ['an older minor version', { version: [2, 1, 0] }, ['warning version']],
    ['no ISIM', { capabilities: [1, 4] }, ['error service']],
    ['too little memory', { free: 3_000 }, ['error memory']],
    ['hardly enough memory', { free: 9_000 }, ['warning memory']],
    ['version 2.0', { version: [2, 0, 0] }, ['warning version', 'warning quirk:ef-file-size-two-octets']],
  ])('%s is told', async (_, info, expected) => {
    const answer = await preflight(good.own, [euicc(info)]);
    expect(found(answer)).toEqual([expected]);
    expect(answer.exit).toBe(expected.some((entry) => entry.startsWith('error')) ? 1 : 0);
  });
  it('features that are used and not mandatory are told', async () => {
    const berTlv = good.withGfm([
      create({ ...good.DF, fileId: '7f66' }),
      create({ descriptor: '7921', arr: '01', size: '40', fileId: '6f01' }),
    ]);
    expect(found(await preflight(berTlv, [euicc({ capabilities: [1, 2, 4] })]))).toEqual([
      ['warning feature'],
    ]);
    expect(found(await preflight(good.iot, [euicc({ capabilities: [1, 4] })]))).toEqual([['error service']]);
    expect(found(await preflight(withFile(good.own, 'usim', 'ef-fplmn', {}), [euicc({})]))).toEqual([
      ['warning quirk:fcp-empty'],
    ]);
  });
  it('quirks of an Operator are added, and several eUICCs are told apart', async () => {
    const quirk = {
      id: 'ours',
      euicc: { sasAcreditationNumber: 'XX-YY' },
      package: 'one-octet-ef-file-size',
      says: 'Says',
      wayOut: 'Do',
    };
    const quirks = folder.write('quirks.json', JSON.stringify({ quirks: [quirk] }));
    const infos = [euicc({}, 'a.der'), euicc({ capabilities: [1] }, 'b.der')];
    const answer = await preflight(good.own, infos, '--quirks', quirks);
    expect(answer.euiccs.map(({ installs }) => installs)).toEqual([true, false]);
    expect(found(answer)[0]).toEqual(['warning quirk:ours']);
    const misspelt = folder.write(
      'quirks.json',
      JSON.stringify({ quirks: [{ ...quirk, euicc: { sasAccreditationNumber: 'X' } }] }),
    );
    const { code } = await runCli(
      'profile',
      'preflight',
      '--template',
      folder.write('t.der', good.own),
      '--euicc-info2',
      infos[0]!,
      '--quirks',
      misspelt,
    );
    expect(code).not.toBe(0);
  });
});

describe('smdpf profile errors', () => {
  it('every error reason and PE status has a meaning and a way out', () => {
    const errors = installationErrors();
    expect(errors).toHaveLength(ERROR_REASONS.size + PE_STATUS.size);
    expect(errors.filter(({ meaning, wayOut }) => meaning === '' || wayOut === '')).toEqual([]);
  });
  it('one is asked for by name or number', async () => {
    const { json } = await runCli('profile', 'errors', 'pin-code-missing', '--json');
    expect(json<{ errors: object[] }>().errors).toMatchObject([{ kind: 'peStatus', number: 11 }]);
    expect((await runCli('profile', 'errors', 'nothing')).code).not.toBe(0);
  });
  it('the data have no member twice', () => {
    for (const name of [
      'shared/profile/package/euicc-quirks.json',
      'cli/commands/profile/data/installation-errors.json',
    ]) {
      const file = new URL(`../../${name}`, import.meta.url);
      expect(repeatedMember(readFileSync(file, 'utf8'))).toBeUndefined();
    }
  });
});
