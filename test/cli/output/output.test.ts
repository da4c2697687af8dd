import { describe, expect, it } from 'vitest';
import { describeFailure, HintedError, UsageError } from '../../../cli/output/failure.ts';
import { toJson } from '../../../cli/output/json.ts';
import { progressBar } from '../../../cli/output/progress.ts';
import { fields, printable, table } from '../../../cli/output/table.ts';
import { Fault, type FaultCode, Refusal } from '../../../shared/errors.ts';
import { STATUS_CODES, type StatusName } from '../../../shared/status-codes.ts';
import { SimError } from '../../../sim/index.ts';

describe('the failure of a command', () => {
  it('tells codes, place and the way out of every refusal', () => {
    for (const code of Object.keys(STATUS_CODES) as StatusName[]) {
      const { failure, exitCode } = describeFailure(new Refusal(code, 'said', { offset: 7 }));
      const { subject, reason } = STATUS_CODES[code];
      expect(failure).toMatchObject({
        code,
        subjectCode: subject,
        reasonCode: reason,
        message: 'said',
        offset: 7,
      });
      expect(failure.hint).not.toBe('');
      expect(exitCode).toBe(1);
    }
  });

  it('tells our own faults from a configuration that is wrong', () => {
    const codes: FaultCode[] = [
      'configuration',
      'ledger',
      'vault',
      'keyProvider',
      'dispatcher',
      'notifier',
      'invariant',
    ];
    for (const code of codes) {
      const { failure, exitCode } = describeFailure(new Fault(code, 'said'));
      expect(failure).toMatchObject({ code, message: 'said' });
      expect(exitCode).toBe(code === 'configuration' ? 2 : 3);
    }
  });

  it('keeps the message of an unknown error to itself, which may hold anything', () => {
    const { failure, exitCode } = describeFailure(new Error('key is 0123'));
    expect(JSON.stringify(failure)).not.toContain('0123');
    expect(exitCode).toBe(3);
  });

  it('gives the hint that the command knows, and the code of the error that it wraps', () => {
    const wrapped = new HintedError(new Refusal('eidMalformed', 'said'), 'do this');
    expect(describeFailure(wrapped)).toMatchObject({
      failure: { code: 'eidMalformed', hint: 'do this' },
      exitCode: 1,
    });
    expect(describeFailure(new UsageError('said', 'do that'))).toMatchObject({
      failure: { hint: 'do that' },
      exitCode: 2,
    });
    expect(describeFailure(new SimError('said'))).toMatchObject({
      failure: { code: 'counterpart' },
      exitCode: 1,
    });
  });
});

describe('the text output of a command', () => {
  it('aligns columns, numbers to the right', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', 1],
          ['bcd', 20],
        ],
      ),
    ).toBe('name   n\n────  ──\na      1\nbcd   20');
    expect(
      fields([
        ['a', 1],
        ['bc', undefined],
        ['bcd', 'x'],
      ]),
    ).toBe('a    1\nbcd  x');
  });

  it('goes on in the next line where the terminal is narrower than the table, and cuts nothing', () => {
    const calls = [
      ['esbpp.sendProfileLoadingReport', 'Executed-Success', 12],
      ['esbpp.requestBpp', 'Failed', 3],
    ];
    expect(table(['function', 'status', 'calls'], calls, 46)).toBe(
      [
        'function                  status         calls',
        '────────────────────────  ─────────────  ─────',
        'esbpp.                    Executed-         12',
        'sendProfileLoadingReport  Success',
        'esbpp.requestBpp          Failed             3',
      ].join('\n'),
    );
  });

  it('makes a block of each row where words do not stand side by side, and breaks no number, date or OID', () => {
    const rows = [['2026-11-27', '2.999.50', '8900100000000000002', '']];
    expect(table(['day', 'party', 'ICCID', 'why'], rows, 30)).toBe(
      'day    2026-11-27\nparty  2.999.50\nICCID  8900100000000000002',
    );
  });

  it('lets a long identifier go on half way, and a long value below itself', () => {
    const id = '0123456789ABCDEF'.repeat(2);
    expect(table(['id', 'n'], [[id, 1]], 20)).toBe(
      'id                 n\n─────────────────  ─\n0123456789ABCDEF   1\n0123456789ABCDEF',
    );
    expect(fields([['why', 'first second third fourth']], 21)).toBe('why  first second\n     third fourth');
  });

  it('replaces characters that could fake a line', () => {
    expect(printable('a\nb\x1b[1m\u202e\u2028')).toBe('a�b�[1m��');
  });
});

describe('the JSON output of a command', () => {
  it('writes octets as hexadecimal, also those of a Buffer', () => {
    expect(
      JSON.parse(toJson({ a: Buffer.of(1, 0xab), b: [Uint8Array.of(2)], c: 3n, d: new Map([['k', 1]]) })),
    ).toEqual({
      a: '01ab',
      b: ['02'],
      c: '3',
      d: { k: 1 },
    });
  });
});

describe('a progress bar', () => {
  const drawn = (isTTY: boolean) => {
    const lines: string[] = [];
    let ms = 0;
    const bar = progressBar(
      { isTTY, columns: 60, write: (text) => lines.push(text) },
      'working',
      10,
      () => ms,
    );
    for (let done = 1; done <= 10; done++) {
      ms += 30;
      bar.update(done);
    }
    bar.end();
    return lines;
  };

  it('is drawn on a terminal, not more often than needed, and goes away', () => {
    const lines = drawn(true);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.length).toBeLessThan(8);
    expect(lines.at(-2)).toContain('10/10');
    expect(lines.at(-1)).toBe('\r\x1b[K');
    for (const line of lines)
      expect(line.replaceAll('\r', '').replaceAll('\x1b[K', '').length).toBeLessThan(60);
  });

  it('is silent elsewhere', () => {
    expect(drawn(false)).toEqual([]);
  });
});
