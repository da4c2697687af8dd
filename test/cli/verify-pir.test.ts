import { afterAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { readTlv, tlv } from '../../shared/codec/tlv.ts';
import { ERROR_REASONS, isTemporary } from '../../shared/rsp/installation-error.ts';
import {
  decodeSignedResult,
  encodeProfileInstallationResult,
  encodeProfileInstallationResultData,
} from '../../shared/rsp/profile-installation-result.ts';
import { generateKey, sign } from '../../sim/curve.ts';
import { Bench, ICCID } from '../sim/installer.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli, spawnCli } from './support/cli.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const bench = new Bench({ keys: 2 });
const certificate = folder.write('CERT_EUICC.der', bench.personalised.euiccCert);
const success = bench.load();

const verifyPir = (pir: Uint8Array, cert = certificate) => [
  'verify-pir',
  '--pir',
  folder.write('pir.der', pir),
  '--euicc-cert',
  cert,
  '--json',
];

describe('smdpf verify-pir', () => {
  it('tells a success whose signature holds, with exit code 0, as a process', async () => {
    const result = await spawnCli(verifyPir(success));
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.json()).toMatchObject({
      signature: 'holds',
      result: 'success',
      eid: bench.personalised.eid,
      iccid: ICCID,
      smdpOid: '2.999.10',
      seqNumber: 1,
      peStatus: ['ok'],
    });
  });

  it('tells a success that has a field of a later version, with a warning', async () => {
    const data = Buffer.from(tlv(0xbf5f));
    const { signedPart } = decodeSignedResult(success);
    const signed = tlv(0xbf27, readTlv(signedPart).value, data);
    const pir = encodeProfileInstallationResult(signed, sign(bench.personalised.key, signed));
    const result = await runCli(...verifyPir(pir));
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('BF5F is a field that this version does not know');
    expect(result.json()).toMatchObject({ signature: 'holds', result: 'success', unknownFields: ['bf5f00'] });
  });

  it.each([
    [true, 'the signature over these octets holds'],
    [false, 'the signature over these octets does not hold'],
  ])('says of a result that cannot be read whether it is signed (%s)', async (isSigned, words) => {
    const signed = tlv(0xbf27, tlv(0x80, Buffer.alloc(17)));
    const key = isSigned ? bench.personalised.key : generateKey(bench.personalised.key.curve);
    const result = await runCli(...verifyPir(encodeProfileInstallationResult(signed, sign(key, signed))));
    expect(result.code).toBe(1);
    expect(result.json<ErrorDocument>().error.message).toContain(words);
  });

  it('names each error reason, says whether it may pass, and exits with 0', async () => {
    for (const [errorReason, name] of ERROR_REASONS) {
      const signed = encodeProfileInstallationResultData({
        transactionId: Buffer.of(1),
        notificationMetadata: {
          seqNumber: 7,
          profileManagementOperation: 'install',
          notificationAddress: 'smdpf.example.com',
        },
        finalResult: { errorResult: { bppCommandId: 'storeMetadata', errorReason } },
      });
      const pir = encodeProfileInstallationResult(signed, sign(bench.personalised.key, signed));
      const result = await runCli(...verifyPir(pir));
      expect(result.code).toBe(0);
      expect(result.json()).toMatchObject({
        signature: 'holds',
        result: 'error',
        bppCommandId: 'storeMetadata',
        errorReason: name,
        errorReasonNumber: errorReason,
        temporary: isTemporary(errorReason),
      });
    }
    expect(ERROR_REASONS.size).toBe(24);
  });

  it('exits with 1 where the signature does not hold: another key, or a changed octet', async () => {
    const foreign = new Bench();
    const other = folder.write('other.der', foreign.personalised.euiccCert);
    const changed = Buffer.from(success);
    changed[changed.indexOf(Buffer.from('8010', 'hex')) + 2]! ^= 0x10;
    for (const args of [verifyPir(success, other), verifyPir(changed)]) {
      const result = await runCli(...args);
      expect(result.code).toBe(1);
      expect(result.json()).toMatchObject({ signature: 'doesNotHold' });
    }
    const text = await runCli(...verifyPir(success, other).filter((option) => option !== '--json'));
    expect(text.stdout).toContain('does not hold');
  });

  it('verifies the octets received: a re-encoding with the same fields is another message', async () => {
    const signed = encodeProfileInstallationResultData({
      transactionId: Buffer.of(1),
      notificationMetadata: {
        seqNumber: 7,
        profileManagementOperation: 'install',
        notificationAddress: 'a.example',
      },
      finalResult: { errorResult: { bppCommandId: 'configureISDP', errorReason: 8 } },
    });
    // trailing zero bits in the BIT STRING: eUICCs send them, and DER would leave them out
    const received = Buffer.from(toHex(signed).replace('81020780', '81020080'), 'hex');
    expect(received.equals(signed)).toBe(false);
    const key = bench.personalised.key;
    const holds = await runCli(...verifyPir(encodeProfileInstallationResult(received, sign(key, received))));
    expect(holds.json()).toMatchObject({ signature: 'holds' });
    const reencoded = await runCli(
      ...verifyPir(encodeProfileInstallationResult(received, sign(key, signed))),
    );
    expect(reencoded.json()).toMatchObject({ signature: 'doesNotHold' });
  });

  it('warns where the certificate is not that of an eUICC', async () => {
    const dpPb = folder.write('dppb.der', bench.chain.certificates[0]!);
    const result = await runCli(...verifyPir(success, dpPb));
    expect(result.code).toBe(1);
    expect(result.json<{ warnings: string[] }>().warnings.join()).toContain('role dpPb');
  });

  it('refuses what is no result, with code and place', async () => {
    const result = await runCli(...verifyPir(success.subarray(0, 60)));
    expect(result.code).toBe(1);
    expect(result.json<ErrorDocument>().error).toMatchObject({ code: 'protocolFormat', offset: 0 });
    const none = await runCli(...verifyPir(success, folder.write('key', generateKey('p256').point)));
    expect(none.code).toBe(1);
  });
});
