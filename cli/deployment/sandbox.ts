import { existsSync } from 'node:fs';
import { toHex } from '../../shared/codec/bytes.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { type CurveName, SimCi, SimEumCa } from '../../sim/index.ts';
import type { DeploymentFolder } from './folder.ts';
import { ALGORITHM_OF_CURVE } from './keys.ts';

export const SANDBOX_EUM = '2.999.40';
/** Counterparts of a sandbox run on the same machine: its callbacks and revocation lists may lead there. */
export const THIS_MACHINE: readonly string[] = ['localhost', '127.0.0.0/8', '::1'];

export const SANDBOX_SMDPF_OID = '2.999.10';

/** A simulated world around a deployment: an eSIM CA, an EUM below it, and our binding certificate from that CA. */
export interface Sandbox {
  readonly ci: SimCi;
  readonly eumCa: SimEumCa;
}

/**
 * Makes the simulated CI and EUM in `sandbox/` of the deployment folder and has the deployment trust them: never for
 * production, since the private keys of the root lie in the folder. May be repeated.
 */
export async function openSandbox(
  deployment: DeploymentFolder,
  runtime: Runtime,
  curve: CurveName,
  bindingKey = deployment.keyUri(`dppb-${curve}`),
): Promise<Sandbox> {
  const folder = deployment.path('sandbox', curve);
  const fresh = !existsSync(folder);
  const ci = fresh ? SimCi.create({ curve }) : SimCi.load(folder);
  const eumCa = fresh ? ci.issueEum() : SimEumCa.load(folder);
  if (fresh) {
    ci.save(folder);
    eumCa.save(folder);
  }
  const { trust, trustAdministration, keys } = runtime;
  const by = 'sandbox';
  const view = await trust.current();
  if (
    !view.store.certificates.some(
      (known) => toHex(known.extensions.subjectKeyIdentifier!) === toHex(ci.keyId),
    )
  ) {
    await trustAdministration.addCi(ci.certificate, { forSigning: true, forVerification: true }, by);
    await trustAdministration.addCrl(ci.issueCrl(), [], by);
  }
  await keys.generate(bindingKey, ALGORITHM_OF_CURVE[curve], 'binding');
  if (!(await trust.current()).dpBindings.some(({ ciPkId }) => toHex(ciPkId) === toHex(ci.keyId))) {
    const { publicKey } = await keys.openSigningKey(bindingKey, 'binding');
    const certificate = ci.issueDpPb({ spki: publicKey }, { oid: SANDBOX_SMDPF_OID });
    await trustAdministration.installDpPb(
      { keyUri: bindingKey, ciPkId: ci.keyId, certificates: [certificate] },
      by,
    );
  }
  await trustAdministration.allowEum(eumCa.certificate, { party: SANDBOX_EUM }, by);
  return { ci, eumCa };
}
