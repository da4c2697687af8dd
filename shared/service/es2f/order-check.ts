import { createHash, X509Certificate } from 'node:crypto';
import { type Bytes, wipe } from '../../codec/bytes.ts';
import { canonicalJson } from '../../codec/canonical-json.ts';
import { completeIccid, luhnDigit, luhnHolds } from '../../codec/iccid.ts';
import { invariant, refuse } from '../../errors.ts';
import { checkPolicy, type EligibilityPolicy } from '../../euicc/eligibility.ts';
import { present } from '../../present.ts';
import { auditPersonalisation } from '../../profile/package/audit.ts';
import { type EligibilityNeeds, eligibilityNeeds } from '../../profile/package/eligibility-needs.ts';
import { personalise } from '../../profile/package/personalise.ts';
import { preflight, preparePreflight } from '../../profile/package/preflight.ts';
import { KNOWN_QUIRKS } from '../../profile/package/quirks.ts';
import { validatePackage } from '../../profile/package/validate.ts';
import { inRow, type Row } from '../../profile/rows/row.ts';
import type { RowBlock } from '../../profile/rows/row-file.ts';
import { decodeEuiccInfo2 } from '../../rsp/euicc-info2.ts';
import { fieldWarnings, type StoreMetadataRequest } from '../../rsp/store-metadata.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Warning } from '../../warnings.ts';
import type { OrderInput, PersonalisationRows, PersonalisationRules } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { intakeKeyIds } from '../keys/intake-keys.ts';
import { unknownMakers } from '../parties/unknown-parties.ts';
import { BATCH_LIMIT } from '../records/notice.ts';
import type { RowIndex } from '../records/order.ts';
import { metadataOf, PLACEHOLDER_ICCID } from './order-metadata.ts';
import { checkRows, firstRowBlock, rowFile } from './order-rows.ts';
import { compileFor } from './order-template.ts';
import { asksForQuantumSafe, checkOutputKey } from './output-rows.ts';
import { type Personaliser, ruleColumns, ruleRow } from './personalisation.ts';
import { refuseFinding, tryProfile } from './profile-making.ts';

const MAX_QUANTITY = 10_000_000;

/** An order that can be taken on. */
export interface CheckedOrder {
  readonly eligibility: EligibilityPolicy;
  readonly packSize: number;
  readonly warnings: readonly Warning[];
  /** Of rows that were read to their end; those of large orders are read later. */
  readonly rowIndex?: RowIndex;
}

/** Everything that can be wrong with an order, before anything of it is stored. */
export async function checkOrderInput(context: Context, order: ReceivedOrder): Promise<CheckedOrder> {
  if (!/^[\w.:-]{1,64}$/.test(order.orderId))
    refuse('orderInvalid', 'orderId has 1 to 64 letters, digits or . _ : -');
  if (!Number.isInteger(order.quantity) || order.quantity < 1 || order.quantity > MAX_QUANTITY)
    refuse('orderInvalid', `quantity is 1 to ${MAX_QUANTITY}`);
  checkMakers(order);
  if (order.callbackUrl !== undefined && !/^https?:\/\//.test(order.callbackUrl))
    refuse('orderInvalid', 'callbackUrl is an http or https URL');
  if (order.callbackUrl !== undefined && context.settings.destinations.isRefused(order.callbackUrl))
    refuse(
      'orderInvalid',
      'callbackUrl leads to an address inside the network of this SM-DPf, which its internalDestinations do not name',
    );
  if (order.callbackCa !== undefined) checkCallbackCa(order);
  if (order.callbackBatch !== undefined) checkCallbackBatch(order.callbackBatch, order.callbackUrl);
  checkPolicy(order.eligibility);
  if ('iccid' in order.metadata)
    refuse('metadataInvalid', 'metadata.iccid has no place in an order: each profile has its own');
  if (order.outputKey !== undefined) await checkOutputKey(order.outputKey, order.eligibility);
  const { personalisation } = order;
  if (
    'format' in personalisation &&
    personalisation.format === 'jwe' &&
    asksForQuantumSafe(order.eligibility)
  )
    refuse(
      'orderInvalid',
      'rows that come encrypted to the RSA intake key are not safe from a quantum computer, which eligibility.suites asks for: let the server generate the keys',
    );
  if (personalisation.keys === 'generate' && order.outputKey === undefined)
    refuse(
      'mandatoryElementMissing',
      'outputKey is needed with generated keys: without it nobody could ever learn them',
    );
  if ('format' in personalisation !== (order.rows !== undefined))
    refuse('orderInvalid', 'rows and personalisation.format come together');

  const compile = (columns: readonly string[]) => compileFor(context, order, order.template, columns);
  const { packSize } = context.settings;
  if ('format' in personalisation) return await checkRowOrder(context, order, personalisation, compile);
  const personaliser = compile(ruleColumns(personalisation));
  const byRule = (sequence: number): Row => ({
    number: sequence + 1,
    values: ruleRow(personalisation, sequence),
  });
  const sample = checkSample(order, personaliser, byRule(0));
  // numbers only grow from the first to the last: a network that both belong to is that of all between
  const last = byRule(order.quantity - 1);
  tryProfile(personaliser, last.number, personaliser.complete(last.values));
  const warnings = [
    ...sample.warnings,
    ...nineteenDigitStart(personalisation),
    ...(await unknownMakers(context.ledger, order.requesterDms)),
  ];
  return { eligibility: completePolicy(context, order, sample.needs), packSize, warnings };
}

/** Makers and their shares: a share is of the order, and of a maker that it names. */
/** PEM that TLS would take without a word even where nothing in it is a certificate. */
function checkCallbackCa({ callbackCa = '', callbackUrl }: OrderInput): void {
  if (callbackUrl === undefined) refuse('orderInvalid', 'callbackCa has a meaning only with a callbackUrl');
  const blocks = callbackCa.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const isCa = (block: string) => {
    try {
      return new X509Certificate(block).ca;
    } catch {
      return false;
    }
  };
  if (blocks.length === 0 || !blocks.every(isCa))
    refuse('orderInvalid', 'callbackCa is one or more CA certificates in PEM');
}

function checkCallbackBatch(batch: number, callbackUrl: string | undefined): void {
  if (callbackUrl === undefined)
    refuse('orderInvalid', 'callbackBatch has a meaning only with a callbackUrl');
  if (!Number.isInteger(batch) || batch < 1 || batch > BATCH_LIMIT)
    refuse('orderInvalid', `callbackBatch is 1 to ${BATCH_LIMIT}`);
}

function checkMakers({ requesterDms, shares = {}, quantity }: OrderInput): void {
  if (requesterDms.length === 0)
    refuse('mandatoryElementMissing', 'requesterDms names no device manufacturer');
  for (const [maker, share] of Object.entries(shares)) {
    if (!requesterDms.includes(maker))
      refuse('orderInvalid', 'shares names a device manufacturer that requesterDms does not', {
        subjectIdentifier: maker,
      });
    if (!Number.isInteger(share) || share < 0 || share > quantity)
      refuse('orderInvalid', 'a share is a number of profiles, at most the quantity', {
        subjectIdentifier: maker,
      });
  }
}

async function checkRowOrder(
  context: Context,
  order: ReceivedOrder,
  personalisation: PersonalisationRows,
  compile: (columns: readonly string[]) => Personaliser,
): Promise<CheckedOrder> {
  const { settings, vault } = context;
  const { rows } = order;
  invariant(rows !== undefined, 'an order with a format has rows');
  const octets = () => (rows instanceof Uint8Array ? once(rows) : vault.getStream(rows));
  const file = await rowFile(context, order.orderId, personalisation);
  const first = await firstRowBlock(file, octets(), settings.packSize);
  const sample = checkSample(order, compile(first.columns), first.rows[0]!);
  const warnings = [
    ...sample.warnings,
    ...nineteenDigits(first.rows),
    ...(await unknownIntakeKey(context, first)),
    ...(await unknownMakers(context.ledger, order.requesterDms)),
  ];
  // blocks of the Operator's own are the packs
  const packSize = personalisation.format === 'jwe' ? first.rows.length : settings.packSize;
  const checked = { eligibility: completePolicy(context, order, sample.needs), packSize, warnings };
  if (order.quantity > settings.inlineOrder) return checked;
  const wanted = { quantity: order.quantity, packSize, metadata: order.metadata };
  return { ...checked, rowIndex: await checkRows(context, file, octets, wanted, compile) };
}

/** A start of 19 digits makes ICCIDs of 20, which is said: its last digit may have been meant as the Luhn digit. */
function nineteenDigitStart({ iccidStart }: PersonalisationRules): readonly Warning[] {
  if (iccidStart.length !== 19) return [];
  const first = iccidStart + luhnDigit(iccidStart);
  const message = `iccidStart has 19 digits without its Luhn digit: ICCIDs have 20, the first is ${first}; give 18 digits for ICCIDs of 19`;
  return [{ code: 'iccidCheckDigitAdded', message }];
}

/** `kid` only says which key the sender meant: where it is another, rows that open are taken. */
async function unknownIntakeKey(context: Context, { kid }: RowBlock): Promise<readonly Warning[]> {
  if (kid === undefined || (await intakeKeyIds(context)).includes(kid)) return [];
  const message = `the first block names ${JSON.stringify(kid)}; es2f.getServerKeys has the kid of the key`;
  return [{ code: 'intakeKeyUnknown', message }];
}

/**
 * 19 digits are an ICCID where the last is its Luhn digit, and else a body that gets a 20th. One in ten bodies passes
 * Luhn by chance, and a mistyped ICCID looks like a body, which no rule can tell: so it is said, of the first rows.
 */
function nineteenDigits(rows: readonly Row[]): readonly Warning[] {
  const given = rows.map(({ values }) => String(values.iccid)).filter((iccid) => iccid.length === 19);
  const bodies = given.filter((iccid) => !luhnHolds(iccid)).length;
  if (bodies === 0) return [];
  const mixed =
    bodies < given.length ? `; ${given.length - bodies} have 19 with it and stay as they are` : '';
  const message = `iccid: of the first ${rows.length} rows ${bodies} have 19 digits without their Luhn digit and get it as a 20th${mixed}`;
  return [{ code: 'iccidCheckDigitAdded', message }];
}

async function* once(octets: Bytes): AsyncGenerator<Bytes> {
  yield octets;
}

/**
 * Makes the first profile: what is wrong with it is wrong with all of them. Gives what deserves a look, and what it needs
 * of an eUICC, which personalisation may change.
 */
function checkSample(
  order: OrderInput,
  personaliser: Personaliser,
  { number, values: given }: Row,
): { readonly warnings: readonly Warning[]; readonly needs: EligibilityNeeds } {
  const values = personaliser.complete(given);
  const upp = inRow(number, () => personalise(personaliser.template, values));
  try {
    const metadata = personaliser.metadata(completeIccid(String(values.iccid)));
    const findings = validatePackage(upp, metadata);
    const error = findings.find(({ severity }) => severity === 'error');
    if (error !== undefined) refuseFinding(error, number, personaliser.template.parameters);
    const notSet = auditPersonalisation(upp, values, personaliser.template).filter(
      ({ code }) => code === 'notSet',
    );
    const warnings: Warning[] = [
      ...notSet.map(({ parameter }) => ({
        code: 'parameterAsInTemplate' as const,
        message: `${parameter} is as in the template, the same in all profiles`,
      })),
      ...fieldWarnings(metadata).map((message) => ({
        code: 'metadataField' as const,
        message: `metadata: ${message}`,
      })),
      ...findings.map(({ message, pe }) => ({
        code: 'packageFinding' as const,
        message: pe === undefined ? message : `${pe}: ${message}`,
      })),
    ];
    return {
      warnings: [...warnings, ...preflightWarnings(order, upp)],
      needs: eligibilityNeeds(upp),
    };
  } finally {
    wipe(upp);
  }
}

/** Refuses an order whose profiles would not install where the Operator means them to go, and tells what else may happen there. */
function preflightWarnings({ expectedEuiccs = [] }: OrderInput, upp: Bytes): Warning[] {
  const prepared = preparePreflight(upp);
  return expectedEuiccs.flatMap((der, i) => {
    const findings = preflight(prepared, decodeEuiccInfo2(der), KNOWN_QUIRKS);
    const error = findings.find(({ severity }) => severity === 'error');
    if (error !== undefined)
      refuse('profileInvalid', `it would not install on eUICC ${i + 1} of expectedEuiccs: ${error.message}`);
    return findings.map(
      ({ message }): Warning => ({
        code: 'preflight',
        message: `eUICC ${i + 1} of expectedEuiccs: ${message}`,
      }),
    );
  });
}

/** What the Operator left open, from the profile itself. */
function completePolicy(context: Context, order: ReceivedOrder, needs: EligibilityNeeds): EligibilityPolicy {
  const metadata: StoreMetadataRequest = metadataOf(context, order, PLACEHOLDER_ICCID);
  if (needs.unknownServices.length > 0)
    refuse(
      'profileInvalid',
      `the template demands services that are not known here: ${needs.unknownServices.join(', ')}`,
    );
  return {
    requiredCapabilities: needs.mandatoryServices,
    minNvm: needs.estimatedSize,
    ...order.eligibility,
    ...present({ profilePolicyRules: metadata.profilePolicyRules }),
  };
}

/** An order with its template at hand. */
export type ReceivedOrder = OrderInput & { readonly template: Bytes };

/** SHA-256 of the canonical order: the same whether template and rows came inline or by a transfer. */
export function hashOf({ template, rows, expectedEuiccs, ...order }: OrderInput): string {
  const sha256Of = (file: Bytes | ObjectRef) =>
    file instanceof Uint8Array ? createHash('sha256').update(file).digest('hex') : file.sha256;
  const templateHash = sha256Of(template);
  const rowsHash = rows && sha256Of(rows);
  const euiccHashes = expectedEuiccs?.map(sha256Of);
  return createHash('sha256')
    .update(canonicalJson({ ...order, templateHash, ...present({ rowsHash, euiccHashes }) }))
    .digest('hex');
}
