import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../shared/codec/bytes.ts';
import { decodeAlpha, encodeAlpha } from '../../../../shared/profile/package/ef/alpha.ts';
import {
  decodeImsIdentity,
  encodeImsIdentity,
  imsIdentities,
  saysImsIdentity,
} from '../../../../shared/profile/package/ef/ims-identity.ts';
import { accessControlClass, decodeImsi, encodeImsi } from '../../../../shared/profile/package/ef/imsi.ts';
import { decodeMsisdn, encodeMsisdn } from '../../../../shared/profile/package/ef/msisdn.ts';
import { decodePlmn, encodePlmn } from '../../../../shared/profile/package/ef/plmn.ts';
import {
  decodeRoutingIndicator,
  encodeRoutingIndicator,
} from '../../../../shared/profile/package/ef/routing-indicator.ts';
import { serviceCentre, withServiceCentre } from '../../../../shared/profile/package/ef/smsp.ts';
import { decodeSpn, encodeSpn } from '../../../../shared/profile/package/ef/spn.ts';
import {
  decodeSuciCalcInfo,
  encodeSuciCalcInfo,
  suciFault,
} from '../../../../shared/profile/package/ef/suci-calc-info.ts';
import { encodeCode } from '../../../../shared/profile/package/parameters/codes.ts';
import { count } from '../../../support/counts.ts';
import vectors from '../../../vectors/encodings.json' with { type: 'json' };

describe('contents of elementary files agree with published ones', () => {
  it.each(vectors.imsi)('IMSI $imsi', ({ imsi, efImsi, efAcc }) => {
    count('vectors', 1);
    expect(toHex(accessControlClass(imsi))).toBe(efAcc);
    expect(decodeImsi(encodeImsi(imsi))).toBe(imsi);
    if (efImsi !== undefined) expect(toHex(encodeImsi(imsi))).toBe(efImsi);
  });
  it.each(vectors.efSpn)('SPN $spn', ({ spn, value }) => {
    count('vectors', 1);
    expect(toHex(encodeSpn(spn, 0x01))).toBe(value);
    expect(decodeSpn(fromHex(value))).toEqual({ name: spn, displayCondition: 0x01 });
  });
  it.each(vectors.efMsisdn)('MSISDN $digits', ({ alphaId, digits, value }) => {
    count('vectors', 1);
    const number = `+${digits}`;
    expect(toHex(encodeMsisdn(number, encodeAlpha(alphaId), value.length / 2))).toBe(value);
    expect(decodeMsisdn(fromHex(value))).toBe(number);
  });
  it.each(vectors.efSuciCalcInfo)('SUCI_Calc_Info', ({ schemes, keys, value }) => {
    count('vectors', 1);
    const info = { schemes, keys: keys.map(({ id, key }) => ({ id, key: fromHex(key) })) };
    expect(toHex(encodeSuciCalcInfo(info))).toBe(value);
    expect(decodeSuciCalcInfo(Buffer.concat([fromHex(value), Buffer.alloc(9, 0xff)]))).toEqual(info);
    expect(suciFault(info)).toBeUndefined();
  });
  it.each(vectors.pin)('PIN of $digits.length digits', ({ digits, value }) => {
    count('vectors', 1);
    expect(toHex(encodeCode(digits))).toBe(value);
  });
});

describe('contents of elementary files follow 3GPP', () => {
  it('PLMN with two and three digits of MNC (TS 24.008 section 10.5.1.3)', () => {
    expect(toHex(encodePlmn('26201'))).toBe('62f210');
    expect(toHex(encodePlmn('310410'))).toBe('130014');
    for (const plmn of ['26201', '310410', '00101']) expect(decodePlmn(encodePlmn(plmn))).toBe(plmn);
    expect(decodePlmn(Buffer.from('ffffff', 'hex'))).toBeUndefined();
  });
  it('an IMSI has its parity, its digits and F behind them, and nothing else (TS 31.102 section 4.2.2)', () => {
    for (let length = 6; length <= 15; length++) {
      const imsi = '901700123456789'.slice(0, length);
      expect(decodeImsi(encodeImsi(imsi))).toBe(imsi);
    }
    const short = '0829620110325476';
    const parity = ['0829620110325476f8', '082162011032547698'];
    const digits = ['0829a2011032547698', '082962f11032547698', 'ffffffffffffffffff', '092962011032547698'];
    for (const file of [short, ...parity, ...digits])
      expect(() => decodeImsi(fromHex(file)), file).toThrow(/EF.IMSI/);
  });
  it('the routing indicator is swapped BCD, F filled (TS 31.102 section 4.4.11.11)', () => {
    expect(toHex(encodeRoutingIndicator('17'))).toBe('71ffffff');
    expect(toHex(encodeRoutingIndicator('0'))).toBe('f0ffffff');
    expect(decodeRoutingIndicator(encodeRoutingIndicator('174'))).toBe('174');
  });
  it('a service centre address clears its indicator and leaves the rest (TS 31.102 section 4.2.27)', () => {
    const record = withServiceCentre(Buffer.alloc(38, 0xff), '+491722270333');
    // indicators, destination address, service centre, protocol identifier, coding scheme, validity
    expect(toHex(record.subarray(10))).toBe(`fd${'ff'.repeat(12)}0791947122723033ffffffff${'ff'.repeat(3)}`);
    expect(serviceCentre(record)).toBe('+491722270333');
    expect(serviceCentre(Buffer.alloc(38, 0xff))).toBe('');
  });
  it('text outside the GSM alphabet is UCS-2 (TS 102 221 Annex A)', () => {
    expect(toHex(encodeAlpha('@$Ö'))).toBe('00025c');
    expect(toHex(encodeAlpha('Жы'))).toBe('800416044b');
    for (const text of ['@$_ÄÖÜ', 'Жы', 'plain ASCII?']) expect(decodeAlpha(encodeAlpha(text))).toBe(text);
  });
  it('ISIM identities follow the IMSI (TS 23.003 section 13)', () => {
    expect(imsIdentities('262011234567891', 2)).toEqual({
      domain: 'ims.mnc001.mcc262.3gppnetwork.org',
      impi: '262011234567891@ims.mnc001.mcc262.3gppnetwork.org',
      impu: 'sip:262011234567891@ims.mnc001.mcc262.3gppnetwork.org',
    });
    expect(imsIdentities('310410123456789', 3).domain).toBe('ims.mnc410.mcc310.3gppnetwork.org');
  });
});

describe('an ISIM identity is said by the octets that decode to it, and by no others', () => {
  const decodes = (octets: Uint8Array, identity: string) => {
    try {
      return decodeImsIdentity(octets) === identity;
    } catch {
      return false;
    }
  };
  const says = (octets: Uint8Array, identity: string) => {
    try {
      return saysImsIdentity(Buffer.concat([Buffer.alloc(7), octets]), identity, 7);
    } catch {
      return false;
    }
  };
  it.each(['a', 'sip:ü@ims.example', 'x'.repeat(127), 'x'.repeat(128), `${'x'.repeat(199)}é`])(
    '%s',
    (identity) => {
      const octets = Buffer.concat([encodeImsIdentity(identity), Buffer.alloc(3, 0xff)]);
      expect(says(octets, identity)).toBe(true);
      for (const other of [`${identity}x`, identity.slice(1), identity.slice(0, -1), '']) {
        expect(says(octets, other)).toBe(false);
      }
      for (let at = 0; at < octets.length; at++) {
        const changed = Buffer.from(octets);
        changed[at]! ^= 0x01;
        expect(says(changed, identity), `octet ${at}`).toBe(decodes(changed, identity));
      }
      for (let end = 0; end < octets.length - 3; end++)
        expect(says(octets.subarray(0, end), identity)).toBe(false);
    },
  );
});
